"""How far a sweep is: steps trained, runs finished, and the time left by what was measured."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm.auto import tqdm

from hf_grok.errors import UserError
from hf_grok.runs.folder import METRICS_FILE
from hf_grok.runs.json_lines import Row
from hf_grok.sweep.job import FINISHED, Job
from hf_grok.text.json_reading import parse_object

_END_OF_FILE = 1 << 14


def steps_done(job: Job) -> int:
    """Steps that the run itself has trained: those before its branch are another's."""
    if job.state() == FINISHED:
        return job.last - job.step
    return max(0, min(last_logged(job.folder / METRICS_FILE), job.last) - job.step)


def last_logged(path: Path) -> int:
    """The step of the last whole row of a metrics file, 0 without one."""
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _END_OF_FILE))
        lines = file.read().splitlines()
    for line in reversed(lines):
        try:
            return Row("", "", parse_object(line, "", nonfinite=True)).step
        except UserError:
            continue  # cut: being written, or where reading began
    return 0


class SweepProgress:
    """One bar over the steps of all runs; what was there at the start counts for no speed.

    Args:
        jobs: the runs.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._bar = tqdm(
            total=sum(job.last - job.step for job in jobs),
            initial=sum(map(steps_done, jobs)),
            unit="step",
            unit_scale=True,
            dynamic_ncols=True,
            file=sys.stderr,
            mininterval=0.5 if sys.stderr.isatty() else 60.0,
        )

    def show(self, running: int, failed: int) -> None:
        """Move the bar to where the runs are; a scheduler's are underway before they run."""
        finished = sum(job.state() == FINISHED for job in self._jobs)
        failures = f", {failed} failed" if failed else ""
        self._bar.set_description(
            f"{finished} of {len(self._jobs)} runs, {running} underway{failures}", refresh=False
        )
        self._bar.update(sum(map(steps_done, self._jobs)) - self._bar.n)

    def say(self, text: str) -> None:
        """A line that stays, above the bar."""
        self._bar.write(text, file=sys.stderr)

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._bar.refresh()
        self._bar.close()
