"""What is hidden: against SplitMix64 written out in whole numbers, and by its statistics."""

from __future__ import annotations

import numpy as np
import pytest

from hf_grok.hiding import hidden_pieces, uniform_numbers

WRAP = 2**64


def splitmix(word: int) -> int:
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % WRAP
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % WRAP
    return word ^ (word >> 31)


def one_number(seed: int, epoch: int, stream: int, sentence: int, place: int) -> float:
    increment, key = 0x9E3779B97F4A7C15, 0
    for part in (seed, epoch, stream):
        key = splitmix(((key ^ part) + increment) % WRAP)
    key = splitmix((key + sentence * increment) % WRAP)
    return (splitmix((key + (place + 1) * increment) % WRAP) >> 11) / 2**53


def test_numbers_are_splitmix64() -> None:
    for seed, epoch, stream in ((0, 0, 0), (7, 3, 2), (2**32 - 1, 10**6, 1)):
        numbers = uniform_numbers(seed, epoch, np.array([5, 0, 199_999]), 4, stream=stream)
        for row, sentence in enumerate((5, 0, 199_999)):
            expected = [one_number(seed, epoch, stream, sentence, place) for place in range(4)]
            assert numbers[row].tolist() == expected


def test_the_output_function_is_the_published_one() -> None:
    """The first three outputs for the seed 1234567, known from other implementations' tests."""
    increment = 0x9E3779B97F4A7C15
    states = [(1234567 + step * increment) % WRAP for step in (1, 2, 3)]
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [splitmix(state) for state in states] == expected


def test_numbers_do_not_know_their_neighbours() -> None:
    whole = uniform_numbers(3, 1, np.arange(50), 20)
    assert np.array_equal(uniform_numbers(3, 1, np.array([7, 41]), 20), whole[[7, 41]])
    assert np.array_equal(uniform_numbers(3, 1, np.arange(50), 9), whole[:, :9])


def test_numbers_are_even_and_unrelated() -> None:
    sentences = np.arange(5000)
    draws = {
        (seed, epoch, stream): uniform_numbers(seed, epoch, sentences, 16, stream=stream).ravel()
        for seed in (0, 1)
        for epoch in (0, 1)
        for stream in (0, 1)
    }
    counts = np.histogram(draws[0, 0, 0], bins=20, range=(0, 1))[0]
    assert np.abs(counts / len(draws[0, 0, 0]) - 1 / 20).max() < 0.005
    related = np.corrcoef(list(draws.values())) - np.eye(len(draws))
    assert np.abs(related).max() < 0.02  # 80,000 numbers: five standard deviations
    assert len(np.unique(np.concatenate(list(draws.values())))) == 8 * 80_000


@pytest.mark.parametrize("share", [0.15, 0.5])
def test_the_smallest_are_hidden(share: float) -> None:
    generator = np.random.default_rng(0)
    hideable = generator.random((60, 14)) < np.linspace(0, 1, 60)[:, None]
    numbers = generator.random((60, 14))
    hidden = hidden_pieces(numbers, hideable, share)
    for row in range(60):
        places = np.flatnonzero(hideable[row])
        count = max(1, round(share * len(places))) if len(places) else 0
        expected = sorted(places, key=lambda place: numbers[row, place])[:count]
        assert sorted(expected) == np.flatnonzero(hidden[row]).tolist()


def test_each_place_is_hidden_as_often() -> None:
    hideable = np.ones((20_000, 13), dtype=bool)
    hidden = hidden_pieces(uniform_numbers(0, 0, np.arange(20_000), 13), hideable)
    assert np.abs(hidden.mean(axis=0) - 2 / 13).max() < 0.01
