"""The engine that a sweep's command names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hf_grok.errors import UserError
from hf_grok.sweep.engines.engine import Engine
from hf_grok.sweep.engines.local import local_engine
from hf_grok.sweep.engines.ray import RayEngine
from hf_grok.sweep.engines.slurm import SlurmEngine, slurm_settings
from hf_grok.sweep.engines.slurm_queue import refuse_what_is_queued
from hf_grok.sweep.job import Job
from hf_grok.sweep.needs import Needs, found

ENGINES = ("local", "slurm", "ray")


def engine_of(
    name: str,
    out: Path,
    needs: Needs,
    jobs: Sequence[Job],
    *,
    workers: int | None = None,
    slurm: Sequence[str] = (),
) -> Engine:
    """Where the runs will run.

    Args:
        name: one of ENGINES.
        out: the sweep's folder.
        needs: of each run.
        jobs: the runs.
        workers: runs at a time; None for as many as the engine has room for.
        slurm: what `--slurm` was given.

    Raises:
        UserError: what the engine needs is not here: a package, a command, a GPU; the folder's runs
            are in the hands of another engine; settings of Slurm for another engine.
    """
    if slurm and name != "slurm":
        raise UserError(f"--slurm {slurm[0]}: settings of Slurm go with --engine slurm")
    if needs.launch:
        found(needs.launch)
    if name == "slurm":
        return SlurmEngine(out, slurm_settings(slurm), workers)
    refuse_what_is_queued(out, name)
    if name == "ray":
        return RayEngine(workers)
    return local_engine(needs, workers, on_cpu=all(job.on_cpu for job in jobs))
