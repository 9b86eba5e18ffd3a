"""How far a sweep is: steps trained, runs finished, and the time left by what was measured."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm.auto import tqdm

from hf_grok.errors import UserError
from hf_grok.runs.folder import METRICS_FILE
from hf_grok.runs.json_lines import Row
from hf_grok.sweep.job import FINISHED, Job
from hf_grok.text.json_reading import parse_object

_END_OF_FILE = 1 << 14
# Of what is to be trained: until then starting and the many first evaluations say nothing of speed.
_WARM = 0.01
_FORMAT = "{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"


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


class Pace:
    """speed = steps / seconds since the first hundredth of what was to be trained.

    Args:
        done: steps at the start.
        total: steps at the end.
    """

    def __init__(self, done: int, total: int) -> None:
        self._warm, self._total = done + _WARM * (total - done), total
        self._from: tuple[int, float] | None = None

    def told(self, done: int, now: float) -> str:
        """Such as "28:10 left, 12.4 steps a second"; "" where it is not known yet."""
        if self._from is None and done >= self._warm and done < self._total:
            self._from = done, now
        if self._from is None or done <= self._from[0] or now <= self._from[1]:
            return ""
        speed = (done - self._from[0]) / (now - self._from[1])
        left = tqdm.format_interval((self._total - done) / speed)
        return f"{left} left, {speed:.3g} steps a second"


class SweepProgress:
    """One bar over the steps of all runs; what was there at the start counts for no speed.

    Args:
        jobs: the runs.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        total, done = sum(job.last - job.step for job in jobs), sum(map(steps_done, jobs))
        self._pace = Pace(done, total)
        self._bar = tqdm(
            total=total,
            initial=done,
            bar_format=_FORMAT,
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
        done = sum(map(steps_done, self._jobs))
        self._bar.set_postfix_str(self._pace.told(done, time.monotonic()), refresh=False)
        self._bar.update(done - self._bar.n)

    def say(self, text: str) -> None:
        """A line that stays, above the bar."""
        self._bar.write(text, file=sys.stderr)

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._bar.refresh()
        self._bar.close()
