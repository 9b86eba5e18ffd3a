"""Sweeps read as one, from folders and from the tables that they leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from hf_grok.cli import main
from hf_grok.errors import UserError
from hf_grok.report.sweep.several import read_sweeps
from hf_grok.runs.results import add_to_results
from tests.report.synthetic_arms import ARMS, write_sweep

NAMES = ("base", "suppress-0.3")
PAIRS = ["--metric", "eval_pairs_accuracy", "--level", "0.7"]


def folder_of(out: Path, seeds: tuple[int, ...], names: tuple[str, ...] = NAMES) -> Path:
    sweep = write_sweep(out, {name: ARMS[name] for name in names}, seeds)
    for name in names:
        for seed in seeds:
            add_to_results(sweep, sweep / f"{name}-seed{seed}", name, {})
    return sweep


def compared(places: list[Path], capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["compare", *map(str, places), *PAIRS, *words]) == 0
    return capsys.readouterr().out


def test_two_sweeps_are_one_with_the_seeds_of_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Folders, tables, or one of each: the comparison is that of a sweep of all seeds."""
    whole = folder_of(tmp_path / "whole", (0, 1, 2, 3))
    first, second = (
        folder_of(tmp_path / name, seeds) for name, seeds in (("a", (2, 0)), ("b", (1, 3)))
    )
    expected = compared([whole], capsys)
    assert compared([first, second], capsys) == expected
    assert compared([first, second / "results.parquet"], capsys) == expected
    tables = [place / "results.parquet" for place in (second, first)]
    assert compared(tables, capsys) == expected


def test_a_seed_that_two_sweeps_have_is_refused(tmp_path: Path) -> None:
    first, second = (folder_of(tmp_path / name, (0, 1)) for name in "ab")
    with pytest.raises(UserError, match="are both of base at seed 0: expected each seed of an arm"):
        read_sweeps([first, second / "results.parquet"])


def test_runs_are_read_to_a_step_and_shorter_ones_named(tmp_path: Path) -> None:
    sweep = folder_of(tmp_path / "a", (0, 1))
    short = sweep / "base-seed1" / "metrics.jsonl"
    lines = short.read_text().splitlines(keepends=True)
    short.write_text("".join(lines[: len(lines) // 3]))
    told: list[str] = []
    base, suppressed = read_sweeps([sweep], 2000, told.append).arms
    assert [run.seed for run in base.runs] == [0]
    assert [run.seed for run in suppressed.runs] == [0, 1]
    assert all(run.evaluations.index[-1] == 2000 for run in (*base.runs, *suppressed.runs))
    (line,) = told
    assert line.startswith(f"left out: {sweep / 'base-seed1'} ends at step")
    with pytest.raises(UserError, match="no run was evaluated to step 99,000"):
        read_sweeps([sweep], 99_000, told.append)


def test_a_seed_alone_is_compared_as_far_as_it_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = compared([folder_of(tmp_path / "a", (0,))], capsys)
    assert "suppress-0.3: 0 of 1 seeds arrived against 1 of 1 (p 1.000); too few seeds" in text


def test_what_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a folder that hf-grok sweep wrote"):
        read_sweeps([tmp_path])
    with pytest.raises(UserError, match=r"there is no .*nothing"):
        read_sweeps([tmp_path / "nothing"])
