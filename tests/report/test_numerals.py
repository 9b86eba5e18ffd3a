from __future__ import annotations

import pytest

from hf_grok.report.style import numerals


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, ".00"),
        (1.0, "1.00"),
        (0.954, ".95"),
        (0.996, ".996"),
        (0.004, ".004"),
        (0.9996, "above .999"),
        (0.0004, "below .001"),
    ],
)
def test_an_accuracy_is_never_rounded_onto_a_bound(value: float, expected: str) -> None:
    assert numerals.accuracy(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0.614, "+.61"), (-0.05, "-.05"), (0.0, "+.00"), (1.0, "+1.00")]
)
def test_a_difference_has_its_sign(value: float, expected: str) -> None:
    assert numerals.signed_accuracy(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.7168, ".72"),
        (-0.535, "-.54"),
        (-0.001, ".00"),
        (4.299, "4.30"),
        (92.06, "92.1"),
        (63_712.4, "63,712"),
    ],
)
def test_any_number_briefly(value: float, expected: str) -> None:
    assert numerals.plain(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (250, "250"), (1_400, "1.4k"), (10_000, "10k"), (14_250, "14.2k"), (2e6, "2M")],
)
def test_a_step_on_an_axis(value: float, expected: str) -> None:
    assert numerals.short_step(value) == expected


def test_a_count_takes_an_s_where_it_is_several() -> None:
    counts = [numerals.counted(number, "seed") for number in (0, 1, 2, 1000)]
    assert counts == ["0 seeds", "1 seed", "2 seeds", "1,000 seeds"]


def test_other_numbers() -> None:
    assert numerals.step(16_200) == "16,200"
    assert (numerals.times(3.43), numerals.times(12.1)) == ("3.4", "12")
    assert [numerals.duration(s) for s in (5, 245, 3_720)] == ["5 s", "4 min 05 s", "1 h 02 min"]


@pytest.mark.parametrize(
    ("items", "expected"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_a_spoken_list(items: list[str], expected: str) -> None:
    assert numerals.spoken_list(items) == expected
