"""Slurm's queue: which jobs of a sweep are in it, how each stands, and taking them out."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from hf_grok.errors import UserError
from hf_grok.runs.folder import write_json
from hf_grok.sweep.tasks import LOGS
from hf_grok.text.json_reading import read_object

RECORD = "slurm.json"
COMMANDS = ("sbatch", "squeue", "scancel", "srun", "scontrol")
_PATIENCE = 30.0  # seconds: a controller that is down is asked again and again by squeue itself
# What squeue calls a job that has ended and will not be started again by Slurm itself.
LOST = {"BOOT_FAIL", "FAILED", "NODE_FAIL", "PREEMPTED", "REVOKED", "TIMEOUT"}
ENDED = {*LOST, "CANCELLED", "COMPLETED", "DEADLINE", "OUT_OF_MEMORY"}


def require_slurm() -> None:
    """Raises UserError where this machine has no Slurm: names the command that is missing."""
    missing = [name for name in COMMANDS if shutil.which(name) is None]
    if missing:
        raise UserError(
            f"there is no command {missing[0]} here: start the sweep on a machine from which jobs "
            "are submitted to Slurm (a login node), or choose --engine local"
        )


def states_of(jobs: Iterable[str]) -> dict[str, str] | None:
    """Job -> its state in capitals, of those that Slurm still knows; None if it cannot be asked.

    Args:
        jobs: numbers, such as 17 or 17_3 for the fourth of an array.
    """
    numbers = sorted({job.partition("_")[0] for job in jobs})
    if not numbers:
        return {}
    words = ["squeue", "--noheader", "--array", "--states=all", "--format=%i %T"]
    try:
        done = subprocess.run(
            [*words, f"--jobs={','.join(numbers)}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode and "Invalid job id" not in done.stderr:
        return None
    lines = (line.split() for line in done.stdout.splitlines())
    return {line[0]: line[1] for line in lines if len(line) == 2}


def cancel(jobs: Sequence[str]) -> None:
    """Take jobs out of the queue, and end those that run.

    Raises:
        UserError: Slurm refuses.
    """
    try:
        words = ["scancel", *jobs]
        subprocess.run(words, capture_output=True, text=True, check=True, timeout=_PATIENCE)
    except subprocess.SubprocessError as error:
        said = str(getattr(error, "stderr", None) or error).strip()
        raise UserError(f"scancel could not end {', '.join(jobs)}: {said}") from None


class QueueRecord:
    """logs/slurm.json: key of a task -> the job that was submitted for it and has not ended.

    It outlives whoever submitted them, as the jobs do.

    Args:
        out: the sweep's folder.
    """

    def __init__(self, out: Path) -> None:
        self.path = out / LOGS / RECORD

    def read(self) -> dict[str, str]:
        """Nothing where there is no such file.

        Raises:
            UserError: it is none that a sweep wrote.
        """
        if not self.path.is_file():
            return {}
        jobs = read_object(self.path).get("jobs")
        if not isinstance(jobs, dict) or not all(isinstance(job, str) for job in jobs.values()):
            raise UserError(f"{self.path}: expected jobs by task, as hf-grok sweep writes them")
        return jobs

    def write(self, jobs: dict[str, str]) -> None:
        """Keep these; no file for none."""
        if jobs:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.path, {"jobs": jobs})
        else:
            self.path.unlink(missing_ok=True)


def queued(out: Path) -> dict[str, str]:
    """Key of a task -> its state in small letters, of what the sweep has in Slurm's queue.

    Where there is no Slurm to ask, "queued" is all that is known.
    """
    jobs = QueueRecord(out).read()
    known = states_of(jobs.values()) if jobs and shutil.which("squeue") else None
    return {key: (known or {}).get(job, "queued").lower() for key, job in jobs.items()}


def cancel_all(out: Path) -> str:
    """End all that a sweep has in Slurm's queue; what was done, for people.

    Raises:
        UserError: there is nothing, or no Slurm here.
    """
    record = QueueRecord(out)
    jobs = record.read()
    if not jobs:
        raise UserError(f"{out} has nothing in Slurm's queue: there is no {record.path}")
    require_slurm()
    cancel(list(jobs.values()))
    record.write({})
    return f"ended {', '.join(jobs)}; the sweep's command goes on with them from their checkpoints"


def refuse_what_is_queued(out: Path, engine: str) -> None:
    """Raises UserError if Slurm may be at work on runs that another engine would start."""
    jobs = QueueRecord(out).read()
    if jobs:
        raise UserError(
            f"{', '.join(jobs)} of {out} may be in Slurm's queue: go on with --engine slurm, or "
            f"end them with --cancel before --engine {engine} starts them"
        )
