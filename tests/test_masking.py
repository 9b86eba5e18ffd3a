"""What is hidden: against SplitMix64 written out in whole numbers, and by its statistics."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from hf_grok.errors import UserError
from hf_grok.masking import (
    IGNORED,
    Masking,
    evaluation_masks,
    mask_tokens,
    masked_positions,
    uniform_numbers,
)
from tests.splitmix import WRAP, one_number, splitmix

MASK, ORDINARY = 4, np.arange(10, 30)
BERT = Masking(random=0.1, kept=0.1)


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
    maskable = generator.random((60, 14)) < np.linspace(0, 1, 60)[:, None]
    numbers = generator.random((60, 14))
    hidden = masked_positions(numbers, maskable, share)
    for row in range(60):
        places = np.flatnonzero(maskable[row])
        count = max(1, round(share * len(places))) if len(places) else 0
        expected = sorted(places, key=lambda place: numbers[row, place])[:count]
        assert sorted(expected) == np.flatnonzero(hidden[row]).tolist()


def test_each_place_is_hidden_as_often() -> None:
    maskable = np.ones((20_000, 13), dtype=bool)
    hidden = masked_positions(uniform_numbers(0, 0, np.arange(20_000), 13), maskable)
    assert np.abs(hidden.mean(axis=0) - 2 / 13).max() < 0.01


def draw(
    masking: Masking, *, subwords: int = 12, epoch: int = 0, first: int = 0, rows: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tokens of `rows` sentences between two special ones, what is seen of them, and labels."""
    tokens = np.tile(np.arange(100, 102 + subwords), (rows, 1))
    maskable = np.ones_like(tokens, dtype=bool)
    maskable[:, [0, -1]] = False
    where: dict[str, Any] = {"epoch": epoch, "sentences": np.arange(first, first + rows)}
    return tokens, *mask_tokens(tokens, maskable, masking, **where, mask_id=MASK, ordinary=ORDINARY)


def test_shares_are_those_asked_for() -> None:
    tokens, seen, labels = draw(BERT, rows=4000)
    hidden = labels != IGNORED
    assert (labels[hidden] == tokens[hidden]).all()
    assert (seen[~hidden] == tokens[~hidden]).all()
    assert not hidden[:, [0, -1]].any()
    assert (hidden.sum(axis=1) == 2).all()  # round(.15 x 12)
    was, now = tokens[hidden], seen[hidden]
    assert (now == MASK).mean() == pytest.approx(0.8, abs=0.02)
    assert (now == was).mean() == pytest.approx(0.1, abs=0.015)
    assert np.isin(now, ORDINARY).mean() == pytest.approx(0.1, abs=0.015)


def test_every_token_and_replacement_is_as_likely() -> None:
    _, seen, labels = draw(Masking(share=0.25, random=1), rows=4000)
    places = Counter(np.nonzero(labels != IGNORED)[1].tolist())
    drawn = Counter(seen[labels != IGNORED].tolist())
    assert set(places) == set(range(1, 13))
    assert all(count == pytest.approx(1000, abs=130) for count in places.values())
    assert set(drawn) == set(ORDINARY)
    assert all(count == pytest.approx(600, abs=110) for count in drawn.values())


def test_short_rows_have_one_token_to_guess_and_long_shares_take_all() -> None:
    assert ((draw(BERT, subwords=1, rows=20)[2] != IGNORED).sum(axis=1) == 1).all()
    _, seen, labels = draw(Masking(share=1))
    assert (seen[:, 1:-1] == MASK).all()
    assert (labels[:, 1:-1] != IGNORED).all()
    assert (draw(BERT, subwords=0)[2] == IGNORED).all()


def test_a_sentence_is_masked_alike_in_every_batch() -> None:
    _, seen, labels = draw(BERT, rows=50)
    for row in (0, 7, 49):
        _, alone, its_labels = draw(BERT, first=row)
        assert (alone == seen[row]).all()
        assert (its_labels == labels[row]).all()


def test_seed_epoch_and_index_each_matter() -> None:
    draws = [
        draw(BERT, subwords=60),
        draw(Masking(random=0.1, kept=0.1, seed=1), subwords=60),
        draw(BERT, subwords=60, epoch=1),
        draw(BERT, subwords=60, first=1),
    ]
    assert len({tuple(labels[0]) for _, _, labels in draws}) == 4


def test_the_masks_of_old_runs_stay() -> None:
    _, _, labels = draw(BERT, subwords=20, epoch=2, first=3)
    assert np.flatnonzero(labels[0] != IGNORED).tolist() == [4, 13, 18]


def test_what_is_measured_is_masked_as_in_the_first_epoch() -> None:
    maskable = np.random.default_rng(3).random((30, 17)) < 0.8
    masks = evaluation_masks(maskable, seed=6, share=0.3)
    for row in range(30):
        places = np.flatnonzero(maskable[row]).tolist()
        order = sorted(places, key=lambda place: one_number(6, 0, 0, row, place))
        count = max(1, round(0.3 * len(places)))
        assert np.flatnonzero(masks[row]).tolist() == sorted(order[:count])
    tokens = np.zeros_like(maskable, dtype=np.int64)
    where: dict[str, Any] = {"epoch": 0, "sentences": np.arange(30), "mask_id": MASK}
    _, labels = mask_tokens(tokens, maskable, Masking(0.3, seed=6), **where, ordinary=ORDINARY)
    assert np.array_equal(labels != IGNORED, masks)
    with pytest.raises(UserError, match="seed=-1"):
        evaluation_masks(maskable, seed=-1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"share": 0}, "share=0"),
        ({"share": 1.1}, "share=1.1"),
        ({"random": 0.95, "kept": 0.1}, "random=0.95, kept=0.1"),
        ({"kept": -0.1}, "kept=-0.1"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_values_out_of_range(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Masking(**values)
