"""What `hf-grok onsets` was given: runs, files of curves, and the seeds of one arm of sweeps."""

from __future__ import annotations

import sys
from collections.abc import Sequence
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
    found: list[tuple[str, Run]] = []
    curves: list[MetricCurve] = []
    for path, name in named.items():
        if path in sweeps:
            continue
        if not path.is_file():
            found.append((name, _run(path)))
        elif axis == "steps":
            curves += read_curves(path, name)
        else:
            raise UserError(f"{path} has steps only: --axis {axis} needs a run directory")
    found += _runs_of_arm(sweeps, arm) if sweeps else []
    for name, run in found:
        curves += run_curves(run, name, axis)
    runs = dict(found)
    _require_one_setting(runs)
    _require_different(curves)
    if not curves:
        raise UserError(f"no evaluation yet in {', '.join(map(str, paths))}")
    return runs, curves


def _run(path: Path) -> Run:
    from hf_grok.runs.read import load_run

    return load_run(path)


def _runs_of_arm(sweeps: Sequence[Path], name: str | None) -> list[tuple[str, Run]]:
    """The finished seeds of an arm by name; those that are not finished are told."""
    from hf_grok.report.sweep.several import read_sweeps

    arm = _chosen(read_sweeps(sweeps).arms, name)
    for run_name, status in arm.unfinished.items():
        print(f"left out: {run_name} ({status})", file=sys.stderr)
    names = [run.name for run in arm.runs]
    return [(one.name if names.count(one.name) == 1 else str(one.path), one) for one in arm.runs]


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
