"""The table of a sweep's results, kept while it runs: each run is added when it has finished."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from hf_grok.errors import UserError
from hf_grok.runs.results import RESULTS_TABLE, add_to_results, runs_in_results
from hf_grok.sweep.arms import Arm
from hf_grok.sweep.jobs import FINISHED, Job


class SweepResults:
    """`results.parquet` of a sweep's folder.

    Args:
        out: the folder.
        arms: of the sweep, by name.
    """

    def __init__(self, out: Path, arms: Mapping[str, Arm]) -> None:
        self.out, self.arms = out, arms
        self._is_written = True

    def catch_up(self, jobs: Iterable[Job], say: Callable[[str], None]) -> None:
        """Add the runs that finished while no sweep looked: of an earlier start, or by hand.

        Without pandas there is no table, which is said; the runs do not depend on it.
        """
        try:
            there = runs_in_results(self.out)
        except UserError as error:
            self._is_written = False
            say(f"{self.out / RESULTS_TABLE} is not written: {error}")
            return
        for job in jobs:
            if job.key not in there and job.state() == FINISHED:
                self.add(job)

    def add(self, job: Job) -> None:
        """Add a run that has just finished."""
        if self._is_written:
            add_to_results(self.out, job.folder, job.arm, self.arms[job.arm].cell)
