"""The table of a sweep's results, kept while it runs: each run is added when it has finished."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from hf_grok.errors import UserError
from hf_grok.runs.folder import RESULTS_FILE
from hf_grok.runs.results import add_to_results, runs_in_results
from hf_grok.runs.sweep_files import RESULTS_TABLE
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
        """Add the runs that finished while no sweep looked, and what was probed of others since.

        Without pandas there is no table, which is said; the runs do not depend on it.
        """
        try:
            there = runs_in_results(self.out)
        except UserError as error:
            self._is_written = False
            self._say(f"{self.out / RESULTS_TABLE} is not written: {error}")
            return
        finished = [job for job in jobs if job.state() == FINISHED]
        # All before the first is added: that makes the table younger than what others wait for.
        for job in [one for one in finished if one.key not in there or self._probed_since(one)]:
            self.add(job)

    def _probed_since(self, job: Job) -> bool:
        """Whether `hf-grok probe` wrote numbers of the run after the table was written."""
        probed, table = job.folder / RESULTS_FILE, self.out / RESULTS_TABLE
        return probed.is_file() and probed.stat().st_mtime_ns > table.stat().st_mtime_ns

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
