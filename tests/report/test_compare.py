"""`hf-grok compare`: numbers that the statistics give alone, sentences that say which way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scipy import stats

from hf_grok.cli import main
from hf_grok.dynamics import load_run
from hf_grok.dynamics.when import arrival_of, log_rank
from hf_grok.errors import UserError
from hf_grok.metrics import GENERALIZATION
from hf_grok.report.sweep.compare import contrast, numbers_of
from hf_grok.report.sweep.onsets import loss_level
from hf_grok.report.sweep.runs import read_sweep
from tests.dynamics.tables import write_run
from tests.report.synthetic_arms import ARMS, write_sweep

NAMES = ("base", "suppress-0.1", "suppress-0.3")
PAIRS = "eval_pairs_accuracy"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sweep")
    return write_sweep(out, {name: ARMS[name] for name in NAMES}, seeds=tuple(range(6)))


def test_each_number_is_that_of_its_statistic(folder: Path) -> None:
    base, later, never = numbers_of(read_sweep(folder), PAIRS, 0.7, 2, False)
    runs = [load_run(folder / f"base-seed{seed}") for seed in range(6)]
    curves = [run.evaluations[PAIRS] for run in runs]
    arrivals = [arrival_of(c.index.to_numpy(float), c.to_numpy(), 0.7) for c in curves]
    assert list(base.arrivals.values()) == arrivals
    assert base.median_step == sorted(a.step or 0 for a in arrivals)[2]
    assert base.last_quarter[3] == pytest.approx(curves[3][curves[3].index >= 2250].mean())
    assert (never.arrived.count, never.median_step) == (0, None)
    found = contrast(base, never)
    assert found.fisher == pytest.approx(stats.fisher_exact([[6, 0], [0, 6]]).pvalue)
    assert contrast(base, later).times == log_rank(arrivals, list(later.arrivals.values()))


def test_the_page_says_which_way(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", str(folder), "--metric", PAIRS, "--level", "0.7"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "base             6 of 6" in text
    assert "suppress-0.3     0 of 6" in text
    assert (
        "suppress-0.1: 3 of 6 seeds arrived against 6 of 6 (p .182); it arrives later (p .002)"
        in text
    )
    assert max(map(len, text.splitlines())) <= 160


def question_sweep(
    out: Path, seen: dict[str, list[list[float]]], whole: dict[str, float] | None = None
) -> Path:
    """Arms by what their seeds reach in distribution; none of them generalizes.

    Each seed of an arm writes `whole` of the lines, where that is given.
    """
    for name, seeds in seen.items():
        for seed, values in enumerate(seeds):
            rows: list[dict[str, float]] = [
                {"step": 100 * place, "eval_generalization_accuracy": 0.2}
                | ({"eval_in_distribution_accuracy": value} if value >= 0 else {})
                | ({"eval_in_distribution_exact_match": whole[name]} if whole else {})
                for place, value in enumerate(values)
            ]
            write_run(out / f"{name}-seed{seed}", rows, seed=seed, recipe="question-formation")
    arms = {name: {"settings": {}, "from": None, "step": 0} for name in seen}
    about = {"format": 1, "name": "try", "recipe": "question-formation", "seeds": [0, 1]}
    (out / "sweep.json").write_text(json.dumps({**about, "arms": arms}))
    return out


def test_seeds_that_have_not_learnt_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Touching .99 once is enough; what was not measured is not said."""
    learnt, not_learnt, unknown = [0.5, 0.99, 0.9], [0.5, 0.98, 0.97], [-1.0, -1.0]
    sweep = question_sweep(
        tmp_path / "a",
        {"base": [learnt] * 2, "deep": [not_learnt, learnt], "other": [unknown] * 2},
    )
    assert [
        arm.unlearnt for arm in numbers_of(read_sweep(sweep), GENERALIZATION, 0.8, 2, False)
    ] == [*((), (0,), ())]
    assert main(["compare", str(sweep)]) == 0
    told = capsys.readouterr().out
    assert "never at .99 in distribution: 1 of 2 seeds of deep. What such" in told
    assert main(["compare", str(sweep), "--arms", "base", "other"]) == 0
    assert "never at .99" not in capsys.readouterr().out
    words = ["--metric", "eval_in_distribution_accuracy", "--arms", "base", "deep"]
    assert main(["compare", str(sweep), *words]) == 0
    assert "never at .99" not in capsys.readouterr().out


def test_seeds_that_know_one_word_alone_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Right at the word that is scored, and not in what follows it."""
    learnt, not_learnt = [0.5, 0.99, 0.9], [0.5, 0.98, 0.97]
    sweep = question_sweep(
        tmp_path / "a",
        {"base": [learnt] * 2, "deep": [learnt, not_learnt]},
        whole={"base": 0.9, "deep": 0.5},
    )
    numbers = numbers_of(read_sweep(sweep), GENERALIZATION, 0.8, 2, False)
    assert [arm.in_part for arm in numbers] == [(), (0,)]
    assert main(["compare", str(sweep)]) == 0
    told = capsys.readouterr().out
    assert "never at .99 in distribution: 1 of 2 seeds of deep." in told
    assert "fewer than .9 of the lines written whole: 1 of 2 seeds of deep." in told
    assert max(map(len, told.splitlines())) <= 160


def test_arrivals_before_the_language_is_learnt_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the way out of a plateau, or without ever leaving it; not those that come with it."""
    never, late, at_once = [0.5, 0.5, 0.5], [0.5, 0.98, 1.0], [0.99, 0.99, 0.99]
    sweep = question_sweep(
        tmp_path / "a", {"base": [at_once] * 2, "deep": [never, late], "other": [[-1.0] * 3] * 2}
    )
    numbers = numbers_of(read_sweep(sweep), GENERALIZATION, 0.2, 2, False)
    assert [arm.early for arm in numbers] == [(), (0, 1), ()]
    assert main(["compare", str(sweep), "--level", "0.2"]) == 0
    told = capsys.readouterr().out
    assert "never at .99 in distribution: 1 of 2 seeds of deep." in told
    assert "arrived before .99 in distribution: 2 of 2 seeds of deep." in told
    assert main(["compare", str(sweep)]) == 0  # nobody comes to .8
    assert "arrived before" not in capsys.readouterr().out


def test_a_loss_is_reached_from_above(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", str(folder), "--metric", "eval_loss", "--level", "4.5"]
    assert main([*words, "--arms", "suppress-0.3", "base"]) == 0
    text = capsys.readouterr().out
    assert "eval_loss <= 4.5 at 2 evaluations in a row" in text
    assert "base: 6 of 6 seeds arrived against 0 of 6 (p .002); it arrives earlier" in text


@pytest.mark.parametrize(
    ("metric", "level", "told"),
    [
        (PAIRS, "70", "--level 70: eval_pairs_accuracy lies in 0..1"),
        (PAIRS, "-.1", "--level -0.1: eval_pairs_accuracy lies in 0..1"),
        (PAIRS, "nan", "--level nan: eval_pairs_accuracy lies in 0..1"),
        ("eval_loss", "-1", "--level -1: eval_loss lies in 0..inf"),
    ],
)
def test_a_level_that_no_value_can_have_is_refused(
    folder: Path, metric: str, level: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else no seed would have come to it, and it would look like a finding."""
    assert main(["compare", str(folder), "--metric", metric, f"--level={level}"]) == 2
    assert told in capsys.readouterr().err


def test_without_generalization_arms_are_compared_by_the_drop_of_the_loss(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = loss_level(read_sweep(folder).reference)
    assert found is not None
    assert main(["compare", str(folder)]) == 0
    level = found.start - 0.25 * (found.start - found.end)
    assert f"eval_loss <= {level:g} at 2 evaluations in a row" in capsys.readouterr().out


def test_one_seed_and_no_event_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sweep(tmp_path, dict.fromkeys(("base", "other"), ARMS["suppress-0.3"]), seeds=(1,))
    assert main(["compare", str(tmp_path), "--metric", PAIRS, "--level", "0.7"]) == 0
    text = capsys.readouterr().out
    assert "no seed of either arrived" in text
    assert "too few seeds" in text


def test_power(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--power", ".2", ".8"]) == 0
    assert "seeds an arm are told apart in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--metric", "eval_class_loss_content"], "say --level"),
        (["--metric", "eval_nonsense"], "nothing says whether"),
        (["--metric", "eval_uas_mass"], "unknown metric of the sweep|nothing says"),
        (["--metric", PAIRS, "--arms", "basis"], "unknown arm with finished runs 'basis'"),
        (
            ["--metric", "eval_generalization_accuracy"],
            "unknown metric of the sweep 'eval_generalization_accuracy'",
        ),
    ],
)
def test_what_cannot_be_compared(folder: Path, words: list[str], told: str) -> None:
    from hf_grok.commands.compare import main as compare

    with pytest.raises(UserError, match=told):
        compare([str(folder), *words])
