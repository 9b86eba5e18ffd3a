"""The folder of a sweep: sweep.json, which tells what lies there and how to go on, and its lock."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.runs.folder import make_folder, taken, write_json
from hf_grok.runs.record import versions
from hf_grok.runs.sweep_files import SWEEP_FILE, read_sweep_file
from hf_grok.sweep.arms import Arm, check_name, settings_of
from hf_grok.sweep.job import FRESH, Job
from hf_grok.sweep.needs import needs_of
from hf_grok.sweep.plan import Plan
from hf_grok.sweep.seeds import seeds_of
from hf_grok.sweep.tasks import LOGS
from hf_grok.text.printable import quoted

LOCK_FILE = "sweep.lock"


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
        **plan.needs.as_written(),
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


def plan_of_folder(folder: Path) -> Plan:
    """Every arm with the settings that it had, and every seed that was started.

    Raises:
        UserError: sweep.json is missing, or says what no sweep writes.
    """
    path = folder / SWEEP_FILE
    if not path.is_file():
        raise UserError(f"{folder} has no {SWEEP_FILE}: expected the folder of a sweep (its --out)")
    content = read_sweep_file(path)
    scale = content.get("scale")
    if scale is not None and not isinstance(scale, str):
        raise UserError(f"{path}: scale is {quoted(scale)}: expected text or null")
    arms = {name: _arm(name, entry, path) for name, entry in content["arms"].items()}
    for name in arms:
        _check_branch(name, arms, path)
    return Plan(
        name=content["name"],
        recipe=content["recipe"],
        scale=scale,
        seeds=seeds_of(content["seeds"], f"{path}, seeds"),
        arms=arms,
        package=_package(content.get("versions")),
        needs=needs_of(content, str(path)),
    )


def _package(recorded: Any) -> dict[str, str]:
    """Versions that no hf-grok writes of itself: of whoever brought the sweep or its recipe."""
    found = recorded.items() if isinstance(recorded, dict) else ()
    return {str(name): str(version) for name, version in found if name not in versions()}


def _arm(name: str, entry: Mapping[str, Any], path: Path) -> Arm:
    where = f"{path}, arm {name}"
    check_name(name, where)
    cell, reset = entry.get("cell", {}), entry.get("reset_optimizer", False)
    if not isinstance(cell, dict) or not isinstance(reset, bool):
        raise UserError(f"{where}: cell and reset_optimizer are not what hf-grok sweep writes")
    settings = settings_of(entry["settings"], where)
    return Arm(name, settings, entry["from"], entry["step"], reset, cell)


def _check_branch(name: str, arms: Mapping[str, Arm], path: Path) -> None:
    """Refuse an arm that branches off none of them, or, by others, off itself."""
    seen = [name]
    while (parent := arms[seen[-1]].parent) is not None:
        if parent not in arms or parent in seen:
            raise UserError(f"{path}, arm {seen[-1]}: it cannot branch off {quoted(parent)}")
        seen.append(parent)


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
                f"{out} holds runs of arm {name} with other settings ({changed}). Go on with those "
                f"by hf-grok sweep {out}, choose another folder with --out, or remove "
                f"{out}/{name}-seed* yourself"
            )


def _facts(content: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    arm = content["arms"].get(name)
    if arm is None:
        return None
    branch = {key: value for key, value in arm.items() if key not in ("settings", "cell")}
    return {
        "recipe": content["recipe"],
        "scale": content["scale"],
        "launch": content.get("launch"),  # more processes read larger batches
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
def locked(out: Path, underway: Collection[str] = ()) -> Iterator[None]:
    """Keep other sweeps out of the folder, and start nothing beside runs that outlived one.

    Each process of a sweep holds a lock of its own (`hf_grok.sweep.held`), for as long as it lives.

    Args:
        out: the folder.
        underway: keys of tasks that may be at work there, since whoever locks it knows of them.

    Raises:
        UserError: a sweep, or a run of one that was killed, is at work there; it cannot be written.
    """
    make_folder(out, "choose another folder with --out")
    with taken(out / LOCK_FILE, f"{out} is being written by another sweep"):
        for lock in sorted((out / LOGS).glob("*.lock")):
            if lock.stem in underway:
                continue
            with taken(lock, f"{lock.stem} in {out} is at work still, of a sweep that was killed"):
                pass
        yield
