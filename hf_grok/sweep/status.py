"""How far each run of a sweep is, as a table: what is there is all that is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from hf_grok.metrics import GENERALIZATION, IN_DISTRIBUTION, VALIDATION_LOSS, measure_of
from hf_grok.runs.folder import checkpoints, is_held, step_of
from hf_grok.runs.metrics_file import read_lines, split_tables
from hf_grok.runs.record import METRICS_FILE, RUN_FILE
from hf_grok.sweep.job import FINISHED, INTERRUPTED, Job
from hf_grok.sweep.progress import steps_done
from hf_grok.text.json_reading import read_object

RUNNING, FAILED = "running", "failed"
# Of a run's steps, before what they took is told.
_LONG_ENOUGH = 0.05
_SHOWN = (VALIDATION_LOSS, IN_DISTRIBUTION, GENERALIZATION)


@dataclass(frozen=True)
class JobStatus:
    """One run as it stands.

    Attributes:
        key: ARM-seedS.
        state: to do, running, to go on with, failed or finished; in a scheduler's queue, as that
            calls it.
        done: steps that the run itself has trained.
        total: steps that it will have trained.
        numbers: metric -> value of its last evaluation, of the few that a table shows.
        arm: its name: the seeds of an arm take alike.
        pace: seconds a step, as measured; 0 where it has not run for long enough.
    """

    key: str
    state: str
    done: int
    total: int
    numbers: Mapping[str, float]
    arm: str
    pace: float


def status_of(job: Job, logs: Path, queued: Mapping[str, str] | None = None) -> JobStatus:
    """The state of a run, by its folder and by who holds the lock beside its log.

    Args:
        job: the run.
        logs: where the locks lie.
        queued: key of a run -> its state, of those that a scheduler has.
    """
    about = _about(job)
    state = job.state()
    if is_held(logs / f"{job.key}.lock"):
        state = RUNNING
    elif state != FINISHED and job.key in (queued or {}):
        state = (queued or {})[job.key]
    elif state == INTERRUPTED and about.get("status") == FAILED:
        state = FAILED
    done, total = steps_done(job), job.last - job.step
    pace = _pace(job, about, done, total) if state in (RUNNING, FINISHED) else 0.0
    return JobStatus(job.key, state, done, total, _numbers(job), job.arm, pace)


def status_table(statuses: Sequence[JobStatus], workers: int) -> str:
    """A line a run, then how many are in which state, and how long the rest will take.

    Args:
        statuses: of all runs.
        workers: runs at a time, for the time left.
    """
    width = max(len(status.key) for status in statuses)
    lines = [_line(status, width) for status in statuses]
    states = [status.state for status in statuses]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return "\n".join([*lines, f"{len(statuses)} runs: {counts}{_left(statuses, workers)}"])


def _line(status: JobStatus, width: int) -> str:
    told = ((measure_of(name).label, value) for name, value in status.numbers.items())
    numbers = "  ".join(f"{label} {value:.3f}" for label, value in told)
    steps = f"{status.done:,} of {status.total:,}"
    return f"{status.key:<{width}}  {status.state:<14}{steps:>18}  {numbers}".rstrip()


def _left(statuses: Iterable[JobStatus], workers: int) -> str:
    """By the paces of each run's own arm, or of all arms where that has not run yet."""
    every = list(statuses)
    missing = [s for s in every if s.done < s.total]
    paces = {s.key: _typical(every, s.arm) for s in missing}
    if not missing or not all(paces.values()):
        return ""
    each = [paces[s.key] * (s.total - s.done) for s in missing]
    # No run is shared between workers, so that the longest is waited for in any case.
    seconds = max(sum(each) / max(1, workers), *each)
    return f"; about {tqdm.format_interval(seconds)} left, {workers} at a time, by the paces so far"


def _typical(every: Sequence[JobStatus], arm: str) -> float:
    own = [s.pace for s in every if s.pace and s.arm == arm]
    return median(own or [s.pace for s in every if s.pace] or [0.0])


def _pace(job: Job, about: Mapping[str, Any], done: int, total: int) -> float:
    """Seconds a step: of all of a finished run; of a running one, since it was last started."""
    if about.get("status") == FINISHED:
        return float(about.get("seconds") or 0) / max(1, total)
    run, metrics = job.folder / RUN_FILE, job.folder / METRICS_FILE
    if not (run.is_file() and metrics.is_file()):
        return 0.0
    started = run.stat().st_mtime  # written at every start, and then at the end
    before = [step_of(path) for path in checkpoints(job.folder) if path.stat().st_mtime < started]
    steps = done - (max(before, default=job.step) - job.step)
    # The first evaluations are dense: sooner than this they would say that it takes for ever.
    return (metrics.stat().st_mtime - started) / steps if steps >= _LONG_ENOUGH * total else 0.0


def _about(job: Job) -> Mapping[str, Any]:
    path = job.folder / RUN_FILE
    return read_object(path) if path.is_file() else {}


def _numbers(job: Job) -> dict[str, float]:
    path = job.folder / METRICS_FILE
    if not path.is_file():
        return {}
    evaluations, _ = split_tables(read_lines(path)[0])
    last = evaluations.rows[max(evaluations.rows)] if evaluations.rows else {}
    return {name: last[name] for name in _SHOWN if name in last}
