"""What `hf-grok onsets` was given: runs, files of curves, and the seeds of one arm of sweeps."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hf_grok.dynamics.curve_files import read_curves, run_curves
from hf_grok.errors import UserError, unknown_name
from hf_grok.runs.sweep_files import is_sweep, is_table

if TYPE_CHECKING:
    from hf_grok.dynamics.curve_files import MetricCurve
    from hf_grok.report.sweep.runs import Arm
    from hf_grok.runs.read import Run


def read_places(
    paths: Sequence[Path], axis: str, arm: str | None = None
) -> tuple[dict[str, Run], list[MetricCurve]]:
    """Runs by name, and all curves of runs and files.

    Args:
        paths: folders of runs or of sweeps, tables that sweeps leave, files of curves.
        axis: of progress, for what is no file of curves.
        arm: of the sweeps and tables; None where they have only one.

    Raises:
        UserError: a path is none of these or is named twice; runs of several settings; an arm that
            is not there, or not said; no evaluation.
    """
    named = dict(zip(paths, _names(paths), strict=True))
    sweeps = [path for path in paths if is_sweep(path) or is_table(path)]
    if arm is not None and not sweeps:
        raise UserError(f"--arm {arm} is of a sweep or its results.parquet: name one of these")
    runs: dict[str, Run] = {}
    curves: list[MetricCurve] = []
    for path, name in named.items():
        if path.is_file() and path not in sweeps:
            if axis != "steps":
                raise UserError(f"{path} has steps only: --axis {axis} needs a run directory")
            curves += read_curves(path, name)
    for name, run in _runs([path for path in paths if path not in sweeps], named, sweeps, arm):
        runs[name] = run
        curves += run_curves(run, name, axis)
    _require_one_setting(runs)
    _require_different(curves)
    if not curves:
        raise UserError(f"no evaluation yet in {', '.join(map(str, paths))}")
    return runs, curves


def _runs(
    alone: Iterable[Path], named: dict[Path, str], sweeps: Sequence[Path], arm: str | None
) -> Iterator[tuple[str, Run]]:
    from hf_grok.runs.read import load_run

    for path in alone:
        if not path.is_file():
            yield named[path], load_run(path)
    if sweeps:
        from hf_grok.report.sweep.several import read_sweeps

        chosen = _chosen(read_sweeps(sweeps).arms, arm)
        names = [run.name for run in chosen.runs]
        for run in chosen.runs:
            yield run.name if names.count(run.name) == 1 else str(run.path), run
        for name, status in chosen.unfinished.items():
            print(f"left out: {name} ({status})", file=sys.stderr)


def _chosen(arms: Sequence[Arm], name: str | None) -> Arm:
    """The arm of this name, or the only one that has finished runs."""
    there = {arm.name: arm for arm in arms if arm.runs}
    if name is not None:
        if name not in there:
            raise unknown_name("arm with finished runs", name, there)
        return there[name]
    if len(there) > 1:
        raise UserError(
            f"these are runs of several arms, which differ by more than their seed: expected "
            f"--arm with one of {', '.join(there)}"
        )
    return next(iter(there.values()))


def _names(paths: Sequence[Path]) -> list[str]:
    """The last part of each path, or all of it where that is not enough to tell them apart."""
    resolved = [path.resolve() for path in paths]
    for path in paths:
        if resolved.count(path.resolve()) > 1:
            raise UserError(f"{path} is given twice: name every run and file once")
    short = [path.stem if path.is_file() else path.name for path in resolved]
    return [
        name if short.count(name) == 1 else str(path)
        for name, path in zip(short, paths, strict=True)
    ]


def _require_one_setting(runs: dict[str, Run]) -> None:
    settings: dict[tuple[object, ...], str] = {}
    for name, run in runs.items():
        if not run.of_recipe:
            continue  # nobody says what was run: whoever names several says that they are seeds
        model = run.info.get("model", {}).get("name")
        settings.setdefault((run.recipe, run.info.get("scale"), model, run.layers), name)
    if len(settings) > 1:
        seen = "; ".join(
            f"{name}: {recipe}, {scale}, {model}, {layers} layers"
            for (recipe, scale, model, layers), name in settings.items()
        )
        raise UserError(
            "expected seeds of one recipe, scale, model and depth, whose curves can be averaged; "
            f"got {seen}. Ask for each group by itself"
        )


def _require_different(curves: Sequence[MetricCurve]) -> None:
    seen: set[tuple[str, str]] = set()
    for curve in curves:
        if (curve.metric, curve.model) in seen:
            raise UserError(f"{curve.metric} of {curve.model} is in two of the files")
        seen.add((curve.metric, curve.model))
