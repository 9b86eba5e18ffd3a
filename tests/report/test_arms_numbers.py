from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hf_grok.dynamics.onsets.existence import Onset
from hf_grok.metrics import measure_of
from hf_grok.report.sweep.figure import draw_arms, panel_quantities
from hf_grok.report.sweep.numbers import (
    LOSS,
    Quantity,
    Spread,
    at_end,
    baseline_at_end,
    ends,
    paradigms,
    present,
    spread,
)
from hf_grok.report.sweep.onsets import loss_level, onset_of, onsets, window_of
from hf_grok.report.sweep.runs import Sweep, read_sweep
from hf_grok.report.sweep.table import markdown, say
from tests.dynamics.tables import write_run

STEPS = list(range(0, 2001, 100))
UAS, ATYPICAL, PAIRS, UNSEEN = (
    Quantity(measure_of(f"eval_{name}"))
    for name in ("uas_best_head", "uas_atypical", "pairs_accuracy", "generalization_accuracy")
)


def sweep_of(out: Path, arms: Mapping[str, Sequence[Mapping[str, Sequence[float]]]]) -> Sweep:
    """A sweep of runs with these columns, one for each seed, evaluated at `STEPS`."""
    for name, runs in arms.items():
        for seed, columns in enumerate(runs):
            rows = [
                {"step": step, **{key: float(values[at]) for key, values in columns.items()}}
                for at, step in enumerate(STEPS)
            ]
            write_run(out / f"{name}-seed{seed}", rows, seed=seed)
    content = {"name": "try", "recipe": "any", "seeds": list(range(9))}
    described = {name: {"settings": {}, "from": None, "step": 0} for name in arms}
    (out / "sweep.json").write_text(json.dumps({**content, "arms": described}))
    return read_sweep(out)


def at(*changes: tuple[int, float]) -> list[float]:
    """Constant between changes: (from this step on, this value)."""
    return [[value for begin, value in changes if begin <= step][-1] for step in STEPS]


def crossing_by_hand(values: Sequence[float], level: Sequence[float], margin: float) -> int | None:
    beyond = [value - base >= margin for value, base in zip(values, level, strict=True)]
    for place in range(len(STEPS) - 1):
        if beyond[place] and beyond[place + 1]:
            return STEPS[place] if place else None
    return None


def test_a_spread_is_mean_sample_deviation_and_range() -> None:
    assert spread([]) is None
    assert spread([2.0]) == Spread(2.0, 0.0, 2.0, 2.0, 1)
    assert spread([1.0, 2.0, 3.0]) == Spread(2.0, 1.0, 1.0, 3.0, 3)


def test_the_end_is_the_last_value_or_the_mean_of_the_last_quarter(tmp_path: Path) -> None:
    values = np.linspace(0, 1, len(STEPS))
    sweep = sweep_of(tmp_path, {"base": [{"eval_loss": values}]})
    run = sweep.runs[0]
    assert at_end(run, LOSS) == 1.0
    metric = replace(LOSS.metric, swings=True)
    swinging = Quantity(replace(LOSS.measure, metric=metric))
    assert at_end(run, swinging) == pytest.approx(values[[s >= 1500 for s in STEPS]].mean())


@pytest.mark.parametrize("seed", range(20))
def test_a_crossing_is_twice_in_a_row_beyond_the_moving_baseline(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    level = 0.3 + 0.05 * random.random(len(STEPS))
    values = level + np.linspace(-0.1, 0.1, len(STEPS)) + 0.03 * random.normal(size=len(STEPS))
    columns = {"eval_uas_best_head": values, "eval_uas_best_offset": level}
    run = sweep_of(tmp_path, {"base": [columns]}).runs[0]
    found = onset_of(run, UAS, "crossing", None)
    expected = crossing_by_hand(values, level, UAS.metric.margin)
    assert (found.step if found else None) == expected


def test_one_evaluation_that_sticks_out_is_no_onset(tmp_path: Path) -> None:
    values = at((0, 0.5), (400, 0.9), (500, 0.5), (1200, 0.8))
    run = sweep_of(tmp_path, {"base": [{"eval_pairs_accuracy": values}]}).runs[0]
    found = onset_of(run, PAIRS, "crossing", None)
    assert isinstance(found, Onset)
    assert found.step == 1200


def test_the_loss_of_every_arm_is_held_against_the_references(tmp_path: Path) -> None:
    base = at((0, 6.0), (100, 5.0), (600, 2.0))
    slow = at((0, 6.0), (100, 5.0), (600, 4.3), (900, 4.2))
    stuck = at((0, 6.0), (100, 5.0), (1000, 4.4))
    arms = {"base": base, "slow": slow, "stuck": stuck}
    sweep = sweep_of(tmp_path, {name: [{"eval_loss": values}] for name, values in arms.items()})
    level = loss_level(sweep.reference)
    assert level is not None
    assert (level.start, level.end, level.margin) == (5.0, 2.0, 0.75)  # below 4.25
    steps = [onsets(arm, LOSS, "crossing", level) for arm in sweep.arms]
    assert [one.mean if one else None for one in steps] == [600, 900, None]


def test_a_reference_whose_loss_does_not_fall_gives_no_level(tmp_path: Path) -> None:
    rising = at((0, 2.0), (1000, 3.0))
    sweep = sweep_of(tmp_path, {"base": [{"eval_loss": rising}]})
    assert loss_level(sweep.reference) is None
    assert onset_of(sweep.runs[0], LOSS, "crossing", None) is None
    assert "The loss: below" not in markdown(sweep)


def test_too_few_evaluations_have_no_onsets() -> None:
    assert window_of(np.array([0, 100, 200])) is None
    assert window_of(np.array(STEPS)) == 300


def test_seeds_without_an_onset_are_counted_and_not_averaged(tmp_path: Path) -> None:
    curves = [at((0, 0.5), (400, 0.9)), at((0, 0.5), (800, 0.9)), at((0, 0.5))]
    sweep = sweep_of(tmp_path, {"base": [{"eval_pairs_accuracy": one} for one in curves]})
    assert onsets(sweep.reference, PAIRS, "crossing", None) == Spread(
        600.0, pytest.approx(80000**0.5), 400.0, 800.0, 2
    )
    text = markdown(sweep)
    assert "| base | 600 (400 to 800), 2/3 |" in text


def test_baselines_stand_in_the_first_row(tmp_path: Path) -> None:
    columns = {
        "eval_uas_best_head": at((0, 0.6)),
        "eval_uas_best_offset": at((0, 0.35)),
        "eval_pairs_accuracy": at((0, 0.7)),
    }
    sweep = sweep_of(tmp_path, {"base": [columns]})
    assert [one.title for one in present(sweep)] == [
        "UAS, best heads",
        "accuracy, minimal pairs",
    ]
    assert baseline_at_end(sweep, PAIRS) == Spread(0.5, 0.0, 0.5, 0.5, 1)
    assert "| *without the model* |  | .35 | .50 |" in markdown(sweep)


def test_paradigms_are_the_pairs_that_are_no_summary(tmp_path: Path) -> None:
    names = ("accuracy", "ties", "phenomenon_binding", "anaphor_number", "npi_scope")
    columns = {f"eval_pairs_{name}": at((0, 0.25)) for name in names}
    sweep = sweep_of(tmp_path, {"base": [columns]})
    assert [one.title for one in paradigms(sweep)] == ["anaphor number", "npi scope"]
    assert "| npi scope | .25 |" in markdown(sweep)


def test_runs_that_lack_a_number_are_left_out_of_its_mean(tmp_path: Path) -> None:
    runs = [
        {"eval_loss": at((0, 2.0))},
        {"eval_loss": at((0, 3.0)), **{"eval_pairs_accuracy": at((0, 0.7))}},
    ]
    sweep = sweep_of(tmp_path, {"base": runs})
    assert ends(sweep.reference, PAIRS) == Spread(0.7, 0.0, 0.7, 0.7, 1)
    assert ends(sweep.reference, ATYPICAL) is None


def test_a_range_is_left_out_where_it_repeats_the_mean() -> None:
    assert say(None, str) == "—"
    assert say(Spread(1.0, 0.1, 0.9, 1.1, 3), "{:.1f}".format) == "1.0 (0.9 to 1.1)"
    assert say(Spread(1.0, 0.1, 0.99, 1.01, 3), "{:.1f}".format) == "1.0"


def probed(run: Path, **numbers: float) -> None:
    """Leave in a run's folder what `hf-grok probe --steps last` writes."""
    about = {"revision": "step2000", "step": 2000, "identity": "x", "version": 1}
    rows = [
        {**about, "probe": name.split("_")[0], "metric": name, "value": value}
        for name, value in numbers.items()
    ]
    probes = {row["probe"]: {"data": f"more {row['probe']}, 4,000 rows"} for row in rows}
    content = {"format": 1, "model": "m", "probes": probes, "rows": rows}
    path = run / "probe_results.json"
    path.write_text(json.dumps({**content, "failures": [], "pictures": []}))


def two_seeds(out: Path) -> Sweep:
    columns = {
        "eval_pairs_accuracy": at((0, 0.5), (1000, 0.8)),
        "eval_pairs_reflexive": at((0, 0.4)),
        "eval_uas_best_head": at((0, 0.3)),
        "eval_uas_best_offset": at((0, 0.25)),
    }
    return sweep_of(out, {"base": [columns, columns]})


def test_ends_probed_afterwards_stand_for_those_of_the_runs(tmp_path: Path) -> None:
    two_seeds(tmp_path)
    for seed, value in enumerate((0.7, 0.72)):
        probed(tmp_path / f"base-seed{seed}", pairs_accuracy=value, pairs_reflexive=0.6)
    sweep = read_sweep(tmp_path)
    told = {one.column: one for one in [*present(sweep), *paradigms(sweep)]}
    [arm] = sweep.arms
    found = {column: ends(arm, one) for column, one in told.items()}
    assert found["eval_pairs_accuracy"] == spread([0.7, 0.72])
    assert found["eval_pairs_reflexive"] == spread([0.6, 0.6])
    assert found["eval_uas_best_head"] == spread([0.3, 0.3])
    # Curves, and with them onsets, are still of the runs' own evaluations.
    assert onset_of(sweep.runs[0], told["eval_pairs_accuracy"], "crossing", None) is not None
    assert "by hf-grok probe: pairs on more pairs, 4,000 rows." in markdown(sweep)


def test_a_level_is_measured_on_what_the_number_above_it_was(tmp_path: Path) -> None:
    two_seeds(tmp_path)
    for seed in (0, 1):
        probed(tmp_path / f"base-seed{seed}", uas_best_head=0.5, uas_best_offset=0.35)
    sweep = read_sweep(tmp_path)
    [uas] = [one for one in present(sweep) if one.column == UAS.column]
    assert ends(sweep.arms[0], uas) == spread([0.5, 0.5])
    assert baseline_at_end(sweep, uas) == spread([0.35, 0.35])
    assert baseline_at_end(sweep, UAS) == spread([0.25, 0.25])


def test_where_a_run_was_not_probed_all_are_told_by_their_own(tmp_path: Path) -> None:
    two_seeds(tmp_path)
    probed(tmp_path / "base-seed0", pairs_accuracy=0.7)
    sweep = read_sweep(tmp_path)
    [pairs] = [one for one in present(sweep) if one.column == PAIRS.column]
    assert ends(sweep.arms[0], pairs) == spread([0.8, 0.8])
    assert "hf-grok probe" not in markdown(sweep)


def test_generalization_is_held_against_nothing(tmp_path: Path) -> None:
    column = "eval_generalization_accuracy"
    sweep = sweep_of(tmp_path, {"base": [{column: at((0, 0.2), (1000, 0.9))}]})
    assert baseline_at_end(sweep, UNSEEN) is None
    text = markdown(sweep)
    assert "without the model" not in text
    assert "beyond the baseline: accuracy, generalization at .80." in text


def test_a_probe_without_a_main_number_is_told_by_the_one_that_it_draws_alone(
    tmp_path: Path,
) -> None:
    columns = {
        "eval_generalization_accuracy": at((0, 0.3), (500, 0.9)),
        "eval_sparsity_normalised": at((0, -0.8), (1000, -0.5)),
        "eval_sparsity_negative_entropy": at((0, -1.3)),
        "eval_norm_l2": at((0, 50.0)),
        "eval_class_loss_content": at((0, 3.0)),  # three numbers in one panel: none is all of it
        "eval_class_loss_function": at((0, 2.0)),
    }
    sweep = sweep_of(tmp_path, {"base": [columns], "late": [columns]})
    found = [one.column.removeprefix("eval_") for one in present(sweep)]
    assert found == ["generalization_accuracy", "sparsity_normalised", "norm_l2"]
    drawn = [one.column.removeprefix("eval_") for one in panel_quantities(sweep)]
    assert drawn == found


def test_what_was_measured_once_is_told_and_not_drawn(tmp_path: Path) -> None:
    """Trees of the last checkpoint of one run gave two panels of a single point."""
    columns = {"eval_generalization_accuracy": at((0, 0.3), (500, 0.9))}
    last = {"eval_tree_score": [*[float("nan")] * (len(STEPS) - 1), 0.8]}
    sweep = sweep_of(tmp_path, {"base": [columns | last], "late": [columns]})
    assert "tree score" in markdown(sweep)
    (drawn,) = panel_quantities(sweep)
    assert drawn.column == "eval_generalization_accuracy"
    assert draw_arms(sweep).axes


def test_what_is_all_measured_once_is_drawn(tmp_path: Path) -> None:
    """Models of the Hub that were probed and never trained here."""
    last = {"eval_tree_score": [*[float("nan")] * (len(STEPS) - 1), 0.8]}
    (drawn,) = panel_quantities(sweep_of(tmp_path, {"base": [last], "late": [last]}))
    assert drawn.column == "eval_tree_score"


def test_onsets_are_told_only_of_what_can_have_them(tmp_path: Path) -> None:
    """A norm gets neither better nor worse, a tree score has no level to cross, "late" no trees."""
    columns = {
        "eval_generalization_accuracy": at((0, 0.3), (500, 0.9)),
        "eval_norm_l2": at((0, 50.0)),
    }
    trees = {"eval_tree_score": at((0, 0.1), (1000, 0.8))}
    sweep = sweep_of(tmp_path, {"base": [columns | trees], "late": [columns]})
    crossing, acceleration = (
        part.splitlines() for part in markdown(sweep).split("## Onsets: ")[1:3]
    )
    (head,) = [line for line in crossing if line.startswith("| arm |")]
    assert head == "| arm | accuracy, generalization |"
    (head,) = [line for line in acceleration if line.startswith("| arm |")]
    assert head == "| arm | accuracy, generalization | tree score |"
    (late,) = [line for line in acceleration if line.startswith("| late |")]
    assert late.endswith("| — |")  # not "none, 0/1": nobody looked


def test_a_figure_has_a_panel_for_each_unit_of_a_probe_and_they_do_not_overlap(
    tmp_path: Path,
) -> None:
    """Six quantities over two kinds of arms, and one that is alone: two blocks of three rows."""
    names = ("loss", "generalization_accuracy", "uas_best_head", "uas_single_head")
    names += ("tree_parseval", "tree_score", "norm_l2")
    columns = {f"eval_{name}": at((0, 0.2), (1000, 0.8)) for name in names}
    suffixed = (f"{kind}-{number}" for kind in ("suppress", "promote") for number in (1, 2))
    arms = {name: [columns] for name in ("base", *suffixed, "release-1")}
    sweep = sweep_of(tmp_path, arms)
    drawn = [one.column.removeprefix("eval_") for one in panel_quantities(sweep)]
    assert drawn == [*names[:3], "tree_parseval", "tree_score", "norm_l2"]
    figure = draw_arms(sweep)
    boxes = [axes.get_position() for axes in figure.axes]
    assert len(boxes) == 6 * 3
    for number, box in enumerate(boxes):
        assert 0 < box.x0 < box.x1 < 1
        assert 0 < box.y0 < box.y1 < 1
        assert not any(box.overlaps(other) for other in boxes[:number])
    labelled = [axes.get_xlabel() for axes in figure.axes]
    assert labelled.count("training step") == 6  # under each column of each block
