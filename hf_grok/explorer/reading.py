"""Which runs a page shows: single runs, and the runs of sweeps with the arms that they are of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hf_grok.dynamics import GrokkingSummary, Run, load_run
from hf_grok.errors import UserError
from hf_grok.report.groups import Group, group_runs
from hf_grok.report.sweep.several import read_sweeps
from hf_grok.runs.folder import RUN_FILE
from hf_grok.runs.sweep_files import SWEEP_FILE, is_sweep, is_table, read_sweep_file, run_folder


@dataclass(frozen=True, eq=False)
class Explored:
    """One run of a page.

    Attributes:
        run: as it was read.
        arm: of the sweep that it is of; None for a run by itself.
        group: of this run alone, with the summary of its accuracies where it has them.
    """

    run: Run
    arm: str | None
    group: Group

    @property
    def summary(self) -> GrokkingSummary | None:
        """When its accuracies arrived; None of a language that asks nothing."""
        return self.group.summaries[0] if self.group.summaries else None


def read_explored(places: Sequence[str | os.PathLike[str]]) -> tuple[list[Explored], list[str]]:
    """The runs at these places, in the order given, and what a reader should know of the others.

    A run that is still going on is shown as far as it has come. Of a sweep, runs that have not
    been evaluated yet are left out, with a note.

    Args:
        places: folders of runs, logs of any Trainer, folders of sweeps or the tables that they
            leave, which have numbers and no pictures; at least one.

    Raises:
        UserError: no place; a place that is no run; a run that was not evaluated, or that is given
            twice; a sweep of which no run was evaluated.
    """
    if not places:
        raise UserError("no run was given: name at least one run or sweep")
    found: list[tuple[Run, str | None]] = []
    notes: list[str] = []
    for place in map(Path, places):
        if is_sweep(place):
            runs, waiting = _runs_of_sweep(place)
            found += runs
            notes += waiting
        elif is_table(place):
            found += [(run, arm.name) for arm in read_sweeps([place]).arms for run in arm.runs]
        else:
            found.append((load_run(place), None))
    groups = group_runs([run for run, _ in found])
    alone = {
        id(run): _alone(group, place) for group in groups for place, run in enumerate(group.runs)
    }
    return [Explored(run, arm, alone[id(run)]) for run, arm in found], notes


def _runs_of_sweep(folder: Path) -> tuple[list[tuple[Run, str | None]], list[str]]:
    content = read_sweep_file(folder / SWEEP_FILE)
    places = [
        (run_folder(folder, arm, seed), arm) for arm in content["arms"] for seed in content["seeds"]
    ]
    begun = [(load_run(path), arm) for path, arm in places if (path / RUN_FILE).is_file()]
    evaluated = [(run, arm) for run, arm in begun if not run.evaluations.empty]
    if not evaluated:
        raise UserError(f"no run of the sweep {folder} was evaluated yet: there is nothing to show")
    waiting = len(places) - len(evaluated)
    if not waiting:
        return list(evaluated), []
    return list(evaluated), [
        f"{waiting} of the {len(places)} runs of the sweep {content['name']} were not evaluated "
        "yet, and are not shown."
    ]


def _alone(group: Group, place: int) -> Group:
    summaries = group.summaries[place : place + 1]
    return replace(group, runs=(group.runs[place],), summaries=summaries)
