"""The folder of a sweep: sweep.json, which tells reports what lies there, and its lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.runs.folder import taken, write_json
from hf_grok.runs.record import versions
from hf_grok.runs.sweep_file import SWEEP_FILE, read_sweep_file
from hf_grok.sweep.jobs import FRESH, Job
from hf_grok.sweep.plan import Plan

LOCK_FILE = "sweep.lock"
LOGS = "logs"


def description(plan: Plan) -> dict[str, Any]:
    """What sweep.json says of a plan."""
    arms = {
        name: {
            "settings": dict(arm.settings),
            "from": arm.parent,
            "step": arm.step,
            "reset_optimizer": arm.reset_optimizer,
            **({"cell": dict(arm.cell)} if arm.cell else {}),
        }
        for name, arm in plan.arms.items()
    }
    return {
        "format": 1,
        "name": plan.name,
        "recipe": plan.recipe,
        "scale": plan.scale,
        "seeds": list(plan.seeds),
        "arms": arms,
        "versions": {**versions(), **plan.package},
    }


def earlier_description(out: Path) -> dict[str, Any] | None:
    """What the folder's sweep.json says; None where there is none.

    Raises:
        UserError: it is none that hf-grok sweep wrote.
    """
    path = out / SWEEP_FILE
    return read_sweep_file(path) if path.is_file() else None


def write_description(plan: Plan, out: Path, jobs: Sequence[Job] = ()) -> None:
    """Write sweep.json; seeds of an earlier start stay named.

    Args:
        plan: that is described.
        out: the sweep's folder.
        jobs: whose packages are recorded beside that of the plan.
    """
    content = description(plan)
    for job in jobs:
        content["versions"].update(job.packages)
    earlier = earlier_description(out) or {"seeds": []}
    content["seeds"] = sorted({*earlier["seeds"], *plan.seeds})
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / SWEEP_FILE, content)


def refuse_other_settings(plan: Plan, jobs: Sequence[Job], out: Path) -> None:
    """Refuse to mix runs of different settings under one arm's name.

    Raises:
        UserError: a run has begun with settings that the plan no longer gives to its arm.
    """
    earlier = earlier_description(out)
    if earlier is None:
        return
    begun = {job.arm for job in jobs if job.state() != FRESH}
    now = description(plan)
    for name in now["arms"]:
        before = _facts(earlier, name) if name in begun else None
        if before is not None and before != _facts(now, name):
            changed = _differences(before, _facts(now, name) or {})
            raise UserError(
                f"{out} holds runs of arm {name} with other settings ({changed}). Choose another "
                f"folder with --out, or remove {out}/{name}-seed* yourself"
            )


def _facts(content: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    arm = content["arms"].get(name)
    if arm is None:
        return None
    branch = {key: value for key, value in arm.items() if key not in ("settings", "cell")}
    return {
        "recipe": content["recipe"],
        "scale": content["scale"],
        **branch,
        **arm["settings"],
    }


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    keys = sorted({*before, *now})
    return "; ".join(
        f"{key}: {before.get(key)!r} there, {now.get(key)!r} now"
        for key in keys
        if before.get(key) != now.get(key)
    )


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keep other sweeps out of the folder, and start nothing beside runs that outlived one.

    Each process of a sweep holds a lock of its own (`hf_grok.sweep.held`), for as long as it lives.

    Raises:
        UserError: a sweep, or a run of one that was killed, is at work there.
    """
    out.mkdir(parents=True, exist_ok=True)
    with taken(out / LOCK_FILE, f"{out} is being written by another sweep"):
        for lock in sorted((out / LOGS).glob("*.lock")):
            with taken(lock, f"{lock.stem} in {out} is at work still, of a sweep that was killed"):
                pass
        yield
