from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_grok.dynamics import load_run
from hf_grok.errors import UserError
from hf_grok.report.figures.attention import caption_attention, draw_attention
from hf_grok.report.figures.attention_maps import attention_sheet
from hf_grok.report.figures.projected_trees import pictured_trees
from hf_grok.report.figures.trees import caption_trees, draw_trees
from hf_grok.report.groups import Group, group_runs
from hf_grok.report.style.brackets import f_score, levels
from hf_grok.report.style.drawing import theme
from hf_grok.report.style.palette import colour
from hf_grok.report.style.pictures import nearest, telling_steps
from tests.report.probed import (
    DEPRELS,
    GOLD,
    HEADS,
    RIGHT_BRANCHING,
    WORDS,
    probed_run,
    tree_picture,
    uas_picture,
    write_pictures,
)
from tests.report.synthetic import question_run

FAST: dict[str, Any] = {"last": 16_000, "every": 2_000, "arrival": 5_000}
ONE_WORD: dict[str, Any] = {"words": ["a"], "heads": [0], "deprels": ["root"], "maps": {}}
STEPS = (0, 2_000, 14_000, 16_000)


def group(folder: Path, pictures: Mapping[tuple[str, int], Mapping[str, Any]]) -> Group:
    run = write_pictures(question_run(folder / "run", **FAST), pictures)
    return group_runs([load_run(run)])[0]


def trees(folder: Path, **changes: Any) -> Group:
    return group(folder, {("tree", step): tree_picture(**changes) for step in STEPS})


def attention(folder: Path, direction: str = "later") -> Group:
    return group(folder, {("uas", step): uas_picture(0.5, direction) for step in STEPS})


def test_levels_lie_over_what_they_hold() -> None:
    assert levels([(0, 4), (0, 2), (2, 4), (1, 2)]) == {(1, 2): 1, (2, 4): 1, (0, 2): 2, (0, 4): 3}
    assert levels([(0, 3), (0, 2), (0, 2)]) == {(0, 2): 1, (0, 3): 2}


def test_f_score_of_one_sentence() -> None:
    assert f_score([(0, 3), (0, 2)], [(0, 3), (1, 3)]) == 0.5
    assert f_score([(0, 3)], [(0, 3), (1, 3)]) == pytest.approx(2 / 3)
    assert f_score([(0, 2)], [(0, 2)]) == 1.0


def test_telling_steps_are_first_last_and_near_the_arrivals(tmp_path: Path) -> None:
    summary = trees(tmp_path).summaries[0]
    assert summary.saturation is not None
    assert summary.crossings[-1] is not None
    near = {nearest(STEPS, summary.saturation.step), nearest(STEPS, summary.crossings[-1].step)}
    assert telling_steps(STEPS, summary) == sorted({0, 16_000} | near)
    assert nearest([0, 10], 5) == 10


def test_without_pictures_there_is_no_such_figure(tmp_path: Path) -> None:
    bare = group_runs([load_run(question_run(tmp_path / "run", **FAST))])[0]
    assert draw_trees(bare) is None
    assert draw_attention(bare) is None


def test_gold_first_then_a_tree_a_step(tmp_path: Path) -> None:
    own = trees(tmp_path)
    (sentence,) = pictured_trees(own.runs[0], own.summaries[0])
    assert [tree.title for tree in sentence] == [
        "gold",
        "step 0: F1 .80",
        "step 2k: F1 .80",
        "step 14k: F1 .80",
        "step 16k: F1 .80",
    ]
    assert sentence[0].spans == tuple(map(tuple, GOLD))
    assert sentence[1].spans == tuple(map(tuple, RIGHT_BRANCHING))
    assert sentence[1].words == tuple(WORDS[:-1])


def test_brackets_stand_over_their_words_and_wrong_ones_are_dashed(tmp_path: Path) -> None:
    with theme("test"):
        figure = draw_trees(trees(tmp_path))
    assert figure is not None
    lines = [line for line in figure.axes[0].get_lines() if "-" in line.get_label()]
    gold, projected = lines[: len(GOLD)], lines[len(GOLD) : len(GOLD) + len(RIGHT_BRANCHING)]
    assert {line.get_label() for line in gold} == {f"_{a}-{b}" for a, b in GOLD}
    assert {line.get_label() for line in projected} == {f"_{a}-{b}" for a, b in RIGHT_BRANCHING}
    assert {line.get_color() for line in gold} == {colour("ink")}
    wrong = [line for line in projected if line.get_linestyle() == "--"]
    assert [line.get_label() for line in wrong] == ["_1-6"]
    assert wrong[0].get_color() == colour("vermilion")
    words = {text.get_text(): text for text in figure.axes[0].texts[1 : 1 + len(WORDS) - 1]}
    (subject,) = [line for line in gold if line.get_label() == "_0-2"]
    (predicate,) = [line for line in gold if line.get_label() == "_2-6"]
    left, right = min(subject.get_xdata()), max(subject.get_xdata())
    assert left < words["the"].get_position()[0] < words["newt"].get_position()[0] < right
    assert right < min(predicate.get_xdata()) < words["does"].get_position()[0]
    assert max(subject.get_ydata()) < words["the"].get_position()[1]  # downwards
    assert min(predicate.get_ydata()) < min(subject.get_ydata())


def test_trees_without_gold_are_drawn_alone(tmp_path: Path) -> None:
    own = trees(tmp_path, gold=None)
    (sentence,) = pictured_trees(own.runs[0], own.summaries[0])
    assert [tree.title for tree in sentence] == ["step 0", "step 2k", "step 14k", "step 16k"]
    with theme("test"):
        figure = draw_trees(own)
    assert figure is not None
    assert all(line.get_linestyle() == "-" for line in figure.axes[0].get_lines())
    assert "F1" not in caption_trees(own)


@pytest.mark.parametrize(
    ("count", "points", "upright"), [(6, 9.5, False), (12, 8.0, False), (30, 8.0, True)]
)
def test_long_sentences_are_written_smaller_and_then_upright(
    tmp_path: Path, count: int, points: float, upright: bool
) -> None:
    spans = [[start, count] for start in range(count - 1)]
    own = trees(tmp_path, words=["words"] * count, projected=spans, gold=spans)
    tree = pictured_trees(own.runs[0], own.summaries[0])[0][0]
    assert (tree.points, tree.upright) == (points, upright)
    with theme("test"):
        figure = draw_trees(own)
    assert figure is not None
    assert all(0 <= x <= figure.get_size_inches()[0] for x in tree.edges)


def test_a_sentence_too_long_to_draw_is_left_out(tmp_path: Path) -> None:
    spans = [[0, 41]]
    assert draw_trees(trees(tmp_path, words=["w"] * 41, projected=spans, gold=spans)) is None


@pytest.mark.parametrize(
    "picture",
    [
        {"sentences": None},
        {"sentences": [{"row": 0, "words": [], "projected": [[0, 2]]}]},
        {"sentences": [{"row": 0, "words": ["a", "b"], "projected": [[0, 3]]}]},
        {"sentences": [{"row": 0, "words": ["a", "b"], "projected": [["0", 2]]}]},
    ],
)
def test_a_picture_of_another_form_is_refused(tmp_path: Path, picture: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="probe 'tree' left at step 0: expected sentences with row"):
        draw_trees(group(tmp_path, {("tree", 0): picture}))


def cells(figure: Any, name: str) -> list[tuple[float, float, str]]:
    """Left, top and dashes of the outlines in one colour."""
    return [
        (min(line.get_xdata()), min(line.get_ydata()), line.get_linestyle())
        for line in figure.axes[0].get_lines()
        if line.get_label() == f"_{name}"
    ]


def test_maps_are_those_of_the_picture_early_and_last(tmp_path: Path) -> None:
    own = attention(tmp_path)
    sheet = attention_sheet(own.runs[0], own.summaries[0])
    assert sheet is not None
    assert sheet.steps == (2_000, 16_000)
    assert [one.relation for one in sheet.maps] == [
        relation for relation in sorted(set(DEPRELS) - {"root"}) for _ in range(2)
    ]
    picture = uas_picture(0.5)
    for one in sheet.maps:
        expected = picture["sentences"][0]["maps"][one.relation]
        np.testing.assert_array_equal(one.weights, expected)
    assert sheet.maps[0].head == "L0 H0, .50"


@pytest.mark.parametrize(
    ("direction", "transposed"),
    [("later", None), ("dep->head", False), ("head->dep", True)],
)
def test_the_outlined_cells_are_the_gold_arcs(
    tmp_path: Path, direction: str, transposed: bool | None
) -> None:
    own = attention(tmp_path, direction)
    sheet = attention_sheet(own.runs[0], own.summaries[0])
    assert sheet is not None
    for one in sheet.maps:
        arcs = {
            (dependent, head - 1)
            for dependent, head in enumerate(HEADS)
            if DEPRELS[dependent] == one.relation
        }
        if transposed is None:
            arcs = {(max(arc), min(arc)) for arc in arcs}
        elif transposed:
            arcs = {(head, dependent) for dependent, head in arcs}
        assert set(one.arcs) == arcs


def test_found_arcs_are_solid_and_others_dashed(tmp_path: Path) -> None:
    picture = uas_picture(0.9)
    maps = picture["sentences"][0]["maps"]
    maps["nsubj"][3][1] = 0.0  # accept, newt: the only arc of its relation
    own = group(tmp_path, {("uas", 16_000): picture})
    sheet = attention_sheet(own.runs[0], own.summaries[0])
    assert sheet is not None
    hits = {one.relation: set(one.arcs.values()) for one in sheet.maps}
    assert hits == {
        "aux": {True},
        "det": {True},
        "nsubj": {False},
        "obj": {True},
        "punct": {True},
    }
    with theme("test"):
        figure = draw_attention(own)
    assert figure is not None
    styles = [dashes for _, _, dashes in cells(figure, "vermilion")]
    assert (styles.count("--"), styles.count("-")) == (1, len(HEADS) - 2)


def test_cells_are_as_dark_as_their_weights(tmp_path: Path) -> None:
    own = attention(tmp_path)
    sheet = attention_sheet(own.runs[0], own.summaries[0])
    assert sheet is not None
    with theme("test"):
        figure = draw_attention(own)
    assert figure is not None
    drawn = figure.axes[0].collections
    assert len(drawn) == len(sheet.maps)
    for one, collection in zip(sheet.maps, drawn, strict=True):
        shades = collection.get_facecolors()[:, 3]
        np.testing.assert_allclose(shades, one.weights[one.weights >= 0.02], atol=0.005)
    frames, outlines = cells(figure, "muted"), cells(figure, "vermilion")
    (left, top, _), (x, y, _) = frames[0], outlines[0]
    outline = next(line for line in figure.axes[0].get_lines() if line.get_label() == "_muted")
    side = np.ptp(outline.get_xdata())
    ((row, column),) = sheet.maps[0].arcs
    assert (x, y) == pytest.approx((left + column * side / 7, top + row * side / 7))


def test_a_model_that_sees_both_sides_says_which_way(tmp_path: Path) -> None:
    assert "d→h: a word's head" in caption_attention(attention(tmp_path / "a", "head->dep"))
    assert "sees earlier words only" in caption_attention(attention(tmp_path / "b"))


def test_of_many_relations_the_best_found_and_fewer_of_a_long_sentence(tmp_path: Path) -> None:
    def picture(words: int, relations: int) -> dict[str, Any]:
        names = [f"r{number:02}" for number in range(relations)]
        heads = {
            name: {"layer": 0, "head": 0, "direction": "later", "uas": number / 100}
            for number, name in enumerate(names)
        }
        maps = {name: [[0.5] * words for _ in range(words)] for name in names}
        sentence = {
            "words": ["w"] * words,
            "heads": [0] + [1] * (words - 1),
            "deprels": ["root", *(names * words)[: words - 1]],
            "maps": maps,
        }
        return {"best_heads": heads, "sentences": [sentence]}

    def shown(words: int) -> list[str] | None:
        own = group(tmp_path / str(words), {("uas", 0): picture(words, 12)})
        sheet = attention_sheet(own.runs[0], own.summaries[0])
        return None if sheet is None else [one.relation for one in sheet.maps]

    assert shown(14) == [f"r{number:02}" for number in range(11, 3, -1)]
    assert shown(20) == ["r11", "r10", "r09", "r08"]
    assert shown(25) is None


@pytest.mark.parametrize(
    "change",
    [
        {"best_heads": []},
        {"best_heads": {"det": {"layer": 0}}},
        {
            "sentences": [
                {"words": ["a"], "heads": [0], "deprels": ["root"], "maps": {"x": [[0.0]]}}
            ]
        },
        {"sentences": [{"words": ["a"], "heads": [2], "deprels": ["root"], "maps": {}}]},
        {"sentences": [{"words": ["a"], "heads": [0], "deprels": ["root"], "maps": {"det": [[]]}}]},
    ],
)
def test_maps_of_another_form_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="probe 'uas' left at step 0: expected best_heads"):
        draw_attention(group(tmp_path, {("uas", 0): {**uas_picture(0.5), **change}}))


def test_of_several_seeds_the_first_with_pictures_is_drawn_and_named(tmp_path: Path) -> None:
    bare = question_run(tmp_path / "bare", seed=0, **FAST)
    runs = [bare, *(probed_run(tmp_path / f"{seed}", seed=seed, **FAST) for seed in (1, 2))]
    own = group_runs([load_run(run) for run in runs])[0]
    with theme("test"):
        figures = [draw_trees(own), draw_attention(own)]
    for figure in figures:
        assert figure is not None
        assert ", seed 1: " in figure.texts[0].get_text()
    assert caption_trees(own).endswith("Of one run: trees have no mean.")
    assert caption_attention(own).endswith("Of one run: maps have no mean.")
