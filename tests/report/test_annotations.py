from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hf_grok.report.style.annotations import Slot, arrange, spread
from hf_grok.report.style.drawing import inline_svg, linear_until, step_ticks
from hf_grok.report.style.seed_curves import marked


def test_labels_that_do_not_meet_stay_where_they_are() -> None:
    assert spread([0.9, 0.1], 0.2, 0.0, 1.0) == [0.9, 0.1]
    assert spread([], 0.2, 0.0, 1.0) == []


def test_labels_that_meet_part_around_their_mean() -> None:
    assert spread([0.5, 0.5], 0.2, 0.0, 1.0) == pytest.approx([0.4, 0.6])
    assert spread([0.99, 1.0], 0.2, 0.0, 1.0) == pytest.approx([0.8, 1.0])


@pytest.mark.parametrize("seed", range(20))
def test_spread_labels_are_apart_inside_and_in_order(seed: int) -> None:
    values = np.random.default_rng(seed).uniform(-0.2, 1.2, 5).tolist()
    placed = spread(values, 0.1, 0.0, 1.0)
    ordered = [position for _, position in sorted(zip(values, placed, strict=True))]
    assert all(high - low >= 0.1 - 1e-9 for low, high in pairwise(ordered))
    assert ordered[0] >= -1e-9
    assert ordered[-1] <= 1 + 1e-9


def test_without_room_labels_are_spaced_evenly() -> None:
    assert spread([0.1, 0.2, 0.3], 1.0, 0.0, 1.0) == pytest.approx([0.0, 0.5, 1.0])


def test_labels_of_events_cross_no_line_where_they_need_not() -> None:
    slots = arrange([2.1, 2.4, 4.2], [2.0, 2.0, 2.0], 5.4)
    assert slots == [Slot(0, True), Slot(1, True), Slot(2, True)]
    assert arrange([0.5, 4.2], [2.0, 2.0], 5.4)[0].left is False
    assert arrange([], [], 5.4) == []


def test_a_label_that_fits_on_one_side_only_stands_there() -> None:
    assert arrange([5.0], [2.0], 5.4) == [Slot(0, True)]
    assert arrange([1.0], [2.0], 5.4) == [Slot(0, False)]


@pytest.mark.parametrize(
    ("last", "linear", "ticks"),
    [
        (20_000, 1_000, [0, 1_000, 2_000, 5_000, 10_000, 20_000]),
        (300_000, 10_000, [0, 10_000, 20_000, 50_000, 100_000, 200_000]),
        (750, 10, [0, 10, 20, 50, 100, 200, 500]),
        (3, 1, [0, 1, 2]),
        (0, 1, [0]),
    ],
)
def test_a_step_axis_starts_at_zero(last: int, linear: int, ticks: list[int]) -> None:
    assert linear_until(last) == linear
    assert step_ticks(last) == ticks


def test_markers_keep_their_distance() -> None:
    assert marked([0.0, 0.01, 0.1, 0.15, 0.2, 0.31], 0.1) == [0, 2, 4, 5]
    assert marked([], 0.1) == []


def test_an_inline_drawing_names_nothing_outside() -> None:
    drawing = (
        '<?xml version="1.0"?><!DOCTYPE svg "http://outside">'
        '<svg xmlns:xlink="http://a" width="10pt" height="5pt" viewBox="0 0 10 5" '
        'xmlns="http://b" version="1.1"><metadata><a href="http://c"/></metadata>'
        '<path id="p" style="stroke: #D55E00"/><use xlink:href="#p" clip-path="url(#q)"/></svg>'
    )
    assert inline_svg(drawing, "figure", 'with "quotes"') == (
        '<svg role="img" aria-label="with &quot;quotes&quot;" viewBox="0 0 10 5">'
        '<path id="figure-p" style="stroke: var(--vermilion)"/>'
        '<use xlink:href="#figure-p" clip-path="url(#figure-q)"/></svg>'
    )
