"""Trees and maps, step by step, against the pictures that they are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_grok.dynamics import Run, load_run
from hf_grok.errors import UserError
from hf_grok.explorer.pictures import maps_of, pictured_steps, trees_of
from tests.report.probed import (
    DEPRELS,
    GOLD,
    HEADS,
    RIGHT_BRANCHING,
    WORDS,
    probed_run,
    tree_picture,
    write_pictures,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return load_run(probed_run(tmp_path_factory.mktemp("probed") / "run", last=3_000))


def test_trees_are_those_of_the_pictures(run: Run) -> None:
    steps = pictured_steps(run)["tree"]
    trees = trees_of(run, steps)
    assert trees is not None
    assert trees["steps"] == steps
    (sentence,) = trees["sentences"]
    assert list(sentence["words"]) == WORDS[:-1]
    assert sentence["gold"] == GOLD
    for step, at in zip(steps, sentence["at"], strict=True):
        assert at["spans"] == run.pictures["tree", step]["sentences"][0]["projected"]
    common = [span for span in RIGHT_BRANCHING if span in GOLD]
    f1 = 2 * len(common) / (len(RIGHT_BRANCHING) + len(GOLD))
    assert sentence["at"][0]["f1"] == pytest.approx(f1, abs=1e-4)
    assert sentence["at"][-1]["f1"] == 1.0


def test_a_sentence_that_one_step_lacks_has_a_gap_there(run: Run, tmp_path: Path) -> None:
    short = tree_picture(row=1, words=["a", "b"], projected=[[0, 2]], gold=None)
    write_pictures(tmp_path, {("tree", 0): tree_picture(), ("tree", 1): short})
    pictures = {("tree", 0): tree_picture(), ("tree", 1): short}
    other = Run(tmp_path, run.info, run.evaluations, run.training, pictures=pictures)
    trees = trees_of(other, [0, 1])
    assert trees is not None
    first, second = trees["sentences"]
    assert first["at"][1] is None
    assert second["at"] == [None, {"spans": [[0, 2]], "f1": None}]
    assert second["gold"] is None


def by_hand(weights: list[list[float]], dependent: int, head: int) -> bool:
    """Whether the later word of an arc looks most at the earlier one, or is looked for there."""
    array = np.array(weights)
    if head < dependent:
        return bool(array[dependent].argmax() == head and array[dependent, head] > 0)
    return bool(array[:, dependent].argmax() == head and array[head, dependent] > 0)


def test_maps_are_those_of_the_pictures_in_hundredths(run: Run) -> None:
    steps = pictured_steps(run)["uas"]
    maps = maps_of(run, steps)
    assert maps is not None
    (sentence,) = maps["sentences"]
    assert list(sentence["words"]) == WORDS
    for place, step in enumerate(steps):
        picture: Any = run.pictures["uas", step]
        for relation, weights in picture["sentences"][0]["maps"].items():
            one = sentence["relations"][relation][place]
            whole = np.array(one["weights"]).reshape(len(WORDS), len(WORDS))
            assert np.abs(whole / 100 - np.array(weights)).max() <= 0.005 + 1e-9
            expected = [
                [max(d, h - 1), min(d, h - 1), by_hand(weights, d, h - 1)]
                for d, h in enumerate(HEADS)
                if DEPRELS[d] == relation and h > 0
            ]
            assert one["arcs"] == expected
            assert one["head"].startswith(f"L{picture['best_heads'][relation]['layer']} H")


def test_a_picture_of_another_form_is_refused_with_its_step(run: Run) -> None:
    broken: Any = {("tree", 5): {"sentences": [{"row": 0}]}, ("uas", 5): {"best_heads": []}}
    other = Run(run.path, run.info, run.evaluations, run.training, pictures=broken)
    with pytest.raises(UserError, match="'tree' left at step 5"):
        trees_of(other, [5])
    with pytest.raises(UserError, match="'uas' left at step 5"):
        maps_of(other, [5])
