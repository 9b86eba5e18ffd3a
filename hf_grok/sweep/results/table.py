"""The table of a sweep's results, kept while it runs: each run is added when it has finished."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from hf_grok.errors import UserError
from hf_grok.runs.results import RESULTS_TABLE, add_to_results, runs_in_results
from hf_grok.sweep.arms import Arm
from hf_grok.sweep.job import FINISHED, Job


class SweepResults:
    """`results.parquet` of a sweep's folder.

    Args:
        out: the folder.
        arms: of the sweep, by name.
        say: where it is told what is not in the table, and why.
    """

    def __init__(self, out: Path, arms: Mapping[str, Arm], say: Callable[[str], None]) -> None:
        self.out, self.arms, self._say = out, arms, say
        self._is_written = True

    def catch_up(self, jobs: Iterable[Job]) -> None:
        """Add the runs that finished while no sweep looked: of an earlier start, or by hand.

        Without pandas there is no table, which is said; the runs do not depend on it.
        """
        try:
            there = runs_in_results(self.out)
        except UserError as error:
            self._is_written = False
            self._say(f"{self.out / RESULTS_TABLE} is not written: {error}")
            return
        for job in jobs:
            if job.key not in there and job.state() == FINISHED:
                self.add(job)

    def add(self, job: Job) -> None:
        """Add a run that has just finished; one that cannot be read is named, and left out."""
        if not self._is_written:
            return
        try:
            add_to_results(self.out, job.folder, job.arm, self.arms[job.arm].cell)
        except (UserError, OSError) as error:
            self._say(
                f"{job.key} is not in {self.out / RESULTS_TABLE}: {error}; the next start of the "
                "sweep tries again"
            )
