"""A run that is gone on with: what it was told before, and what must be as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.recipes.recipe import FILE_SCALE, Recipe, Settings
from hf_grok.recipes.words import Words
from hf_grok.runs.folder import checkpoints
from hf_grok.runs.manifest import file_facts, flaw
from hf_grok.runs.record import SECRETS, default_of, recorded

# What a branch has of its own, whatever its parent was told: its folder, its name, its repository.
A_BRANCHS_OWN = {"output_dir", "run_name"}
A_BRANCHS_OWN_PREFIXES = ("series", "hub_", "push_")
BATCH = "per_device_train_batch_size"
ALLOW_PROCESSES = "--allow-other-processes"
# Schedules whose learning rate at a step is the same, however long the run is.
WITHOUT_END = ("constant", "constant_with_warmup", "inverse_sqrt")


def as_recorded(words: Words) -> dict[str, str | list[str]]:
    """Words of a command line, by argument, as run.json has them: no token, and not the folder."""
    return {
        name: values[0] if len(values) == 1 else list(values)
        for name, values in words.items()
        if name not in ("output_dir", *SECRETS)
    }


def recipe_of(folder: Path) -> tuple[str, str]:
    """Name and scale of the shipped recipe that the run in `folder` is of.

    Raises:
        UserError: no run lies there, or it is of a file whose place its record does not say.
    """
    info = recorded(folder) or {}
    name, scale = info.get("recipe"), info.get("scale")
    if not isinstance(name, str) or not isinstance(scale, str):
        raise UserError(f"{folder} does not say of which recipe it is a run: name its RECIPE")
    if scale == FILE_SCALE:
        raise UserError(f"{folder} is a run of a file of yours, {name}.yaml: name it as RECIPE")
    return name, scale


def inherited_words(
    folder: Path, info: Mapping[str, Any] | None, recipe: Recipe, *, branch: bool
) -> Words:
    """What the command line of the run in `folder` said, for one that goes on from it.

    Args:
        folder: of the run that was told so.
        info: its run.json; None where there is none.
        recipe: that is gone on with.
        branch: whether another run begins there; otherwise it is resumed itself.

    Raises:
        UserError: the run is of another recipe or scale.
    """
    if info is None:
        return {}
    theirs = (info.get("recipe"), info.get("scale"))
    if theirs != (recipe.name, recipe.scale):
        if branch:
            return {}  # which arguments must agree is looked at one by one
        raise UserError(
            f"{folder} is a run of {theirs[0]} ({theirs[1]}), and was to be resumed as one of "
            f"{recipe.name} ({recipe.scale}): name its own recipe and --scale, or choose another "
            "folder with --output_dir"
        )
    said: Mapping[str, Any] = info.get("overrides") or {}
    return {
        name: tuple(value) if isinstance(value, list) else (str(value),)
        for name, value in said.items()
        if not (branch and _is_a_branchs_own(name))
    }


def _is_a_branchs_own(name: str) -> bool:
    return name in A_BRANCHS_OWN or name.startswith(A_BRANCHS_OWN_PREFIXES)


def check_same_run(
    folder: Path, before: Mapping[str, Any], now: Mapping[str, Any], settings: Settings, allow: bool
) -> None:
    """A resumed run is the run that was begun: its data, model, batch, machine's way and processes.

    Args:
        folder: of the run.
        before: run.json as it was.
        now: `run_information` of what is about to run.
        settings: likewise.
        allow: whether another number of processes was asked for.

    Raises:
        UserError: names every value that differs, and what to do.
    """
    differing = _differing(before, now)
    processes = differing.pop("processes", None)
    if processes is not None and allow:
        batch = differing.pop(BATCH, None)
        _check_same_batch(processes, batch, settings)
    elif processes is not None:
        was, now_is = processes
        raise UserError(
            f"{folder} was trained by {was} process{'es' * (was > 1)} and would go on with "
            f"{now_is}: start {was}, or say {ALLOW_PROCESSES}. What dropout draws then differs "
            "from the run that was not interrupted, and run.json says where."
        )
    _check_same_rates(folder, before, settings)
    if differing:
        told = "; ".join(f"{name} was {was} and is {is_}" for name, (was, is_) in differing.items())
        raise UserError(
            f"{folder} cannot be resumed as another run: {told} (None: at its default). Leave "
            "these away, for a resumed run knows them, or choose another folder with --output_dir; "
            "a regulariser is changed in a branch (--from-checkpoint)."
        )


def _check_same_rates(folder: Path, before: Mapping[str, Any], settings: Settings) -> None:
    """A run of another length has the same learning rates only where they do not follow it."""
    training = settings.training
    default = default_of(type(training).__dataclass_fields__["max_steps"])
    was = (before.get("arguments") or {}).get("max_steps", default)
    schedule = str(getattr(training.lr_scheduler_type, "value", training.lr_scheduler_type))
    follows = (
        schedule not in WITHOUT_END or 0 < training.warmup_steps < 1
    )  # a fraction of the steps
    if was != training.max_steps and follows:
        raise UserError(
            f"{folder} was to end at step {was}, and would at {training.max_steps}: its learning "
            f"rate ({schedule}) follows the length, so this would be another run. Leave max_steps "
            "as it was, or train anew"
        )


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """name -> value then and now, of all that makes a run the run that it is."""
    found: dict[str, tuple[Any, Any]] = {}
    for part in ("regulariser", "bound_arguments", "data", "chosen"):
        theirs, ours = (json.loads(json.dumps(_part(one, part))) for one in (before, now))
        if not theirs and part != "regulariser":
            continue  # written by a version that did not say
        for name in sorted({*theirs, *ours} - {"threads"}):
            if theirs.get(name) != ours.get(name):
                found[name] = (theirs.get(name), ours.get(name))
    return found


def _part(info: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    if part != "regulariser":
        return info.get(part) or {}
    arguments: Mapping[str, Any] = info.get("arguments") or {}
    return {name: value for name, value in arguments.items() if name.startswith("sas_")}


def _check_same_batch(
    processes: tuple[int, int], batch: tuple[Any, Any] | None, settings: Settings
) -> None:
    """The lines that all processes read together are as many: the order of the data follows them.

    Raises:
        UserError: says which batch a process would give the same.
    """
    now = settings.training.per_device_train_batch_size
    default = default_of(type(settings.training).__dataclass_fields__[BATCH])
    was = now if batch is None else batch[0]
    together = int(default if was is None else was) * processes[0]
    if together != now * processes[1]:
        fitting = f"--{BATCH} {together // processes[1]}"
        told = f"say {fitting}" if together % processes[1] == 0 else "choose a divisor of it"
        raise UserError(
            f"{processes[0]} processes read {together} lines together, and {processes[1]} of "
            f"{now} each would read {now * processes[1]}: the order of the data would be "
            f"another. For the same, {told}."
        )


def changed_since(before: Mapping[str, Any], now: Mapping[str, Any], step: int) -> list[Any]:
    """run.json's list of changes under which a run was resumed, with one more if there is one.

    Each names the step that was resumed from, and value then and now: processes, versions, machine.
    """
    changes: list[Any] = list(before.get("resumed") or [])
    different = {
        name: {"was": (before.get(part) or {}).get(name), "is": value}
        for part, names in (("chosen", ("processes",)), ("versions", None), ("machine", None))
        for name, value in now[part].items()
        if (names is None or name in names) and (before.get(part) or {}).get(name) != value
    }
    return [*changes, {"step": step, "different": different}] if different else changes


def final_weights(folder: Path) -> dict[str, str]:
    """File -> sha256 of the final model's weights, at the top of a run's folder."""
    return {path.name: file_facts(path).sha256 for path in sorted(folder.glob("*.safetensors"))}


def is_done(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether the run has finished under the same arguments, and nothing is left to fix.

    Its final weights are there, and so is its newest checkpoint, if it has any: a damaged one is
    made again from the one before it.
    """
    weights = before.get("final_weights")
    saved = checkpoints(folder)
    return (
        before.get("status") == "finished"
        and before.get("arguments") == json.loads(json.dumps(now["arguments"]))
        and bool(weights)
        and weights == final_weights(folder)
        and (not saved or flaw(saved[-1]) is None)
    )
