"""Runs that were started elsewhere, taken into a sweep's folder where they are runs of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.recipes.recipe import load_recipe, parse
from hf_grok.recipes.session import LOCK_FILE
from hf_grok.runs.folder import MANIFEST_FILE, RUN_FILE, taken
from hf_grok.runs.manifest import manifest_files
from hf_grok.runs.record import changed_values, recorded
from hf_grok.sweep.job import FINISHED, Job
from hf_grok.text.printable import quoted

# Where a run lies, how it is shown, what its machine chose, and when it saves: none makes another
# run of it.
APART = {
    *("output_dir", "run_name", "logging_dir", "disable_tqdm", "checkpoints"),
    *("threads", "bf16", "mixed_precision"),
}


@dataclass(frozen=True)
class Adoption:
    """A run's folder, and the run of the sweep that it is.

    Attributes:
        source: where it lies.
        job: that it becomes.
    """

    source: Path
    job: Job

    def adopt(self) -> None:
        """Move the folder to where the sweep looks for it."""
        self.job.folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(self.source, self.job.folder)


def adoptions(folders: Iterable[Path], jobs: Sequence[Job]) -> list[Adoption]:
    """Which run of the sweep each folder holds; those that are in their place already are left out.

    Raises:
        UserError: a folder without a run, or whose run is at work; a run whose settings are those
            of no run of the sweep (names the nearest, and what differs); one whose place is taken;
            a branch that left another run than the sweep's.
    """
    settings = {job.key: settings_of(job) for job in jobs}
    found: list[Adoption] = []
    for folder in folders:
        about = _about(folder)
        job = _job_of(folder, about, jobs, settings)
        if job.folder.exists() and job.folder.samefile(folder):
            continue
        if job.folder.exists() or any(one.job == job for one in found):
            raise UserError(
                f"{folder} is {job.key}, of which there is a run already: remove one of them"
            )
        found.append(Adoption(folder, job))
    places = {one.job.key: one.source for one in found}
    for one in found:
        _check_parent(one, places)
    return found


def settings_of(job: Job) -> dict[str, Any]:
    """Recipe, scale, and every argument that is not at its default, as run.json has them."""
    recipe_name, *words = job.words
    scale, words = (words[1], words[2:]) if words[:1] == ["--scale"] else (None, words)
    recipe = load_recipe(recipe_name, scale)
    settings = parse(recipe, words)
    arguments = changed_values(settings.data, settings.model, settings.probes, settings.training)
    plain = json.loads(json.dumps(arguments))
    return {"recipe": recipe.name, "scale": recipe.scale, **_that_count(plain)}


def _that_count(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in APART}


def _about(folder: Path) -> Mapping[str, Any]:
    about = recorded(folder)
    if about is None:
        raise UserError(f"{folder} has no {RUN_FILE}: expected the folder of hf-grok train")
    with taken(folder / LOCK_FILE, f"{folder} is being trained"):
        return about


def _job_of(
    folder: Path,
    about: Mapping[str, Any],
    jobs: Sequence[Job],
    settings: Mapping[str, Mapping[str, Any]],
) -> Job:
    arguments = about.get("arguments")
    if not isinstance(arguments, dict):
        raise UserError(f"{folder / RUN_FILE}: expected arguments, got {quoted(arguments)}")
    theirs = {
        "recipe": about.get("recipe"),
        "scale": about.get("scale"),
        **_that_count(arguments),
        **_branching(about.get("parent")),
    }
    differing = {
        job.key: different(theirs, {**settings[job.key], **_branching_of(job)}) for job in jobs
    }
    nearest = min(jobs, key=lambda job: len(differing[job.key]))
    if differing[nearest.key]:
        raise UserError(
            f"{folder} is no run of this sweep. Nearest is {nearest.key}, but "
            f"{'; '.join(differing[nearest.key])}"
        )
    return nearest


def different(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """What differs between a folder's run and a run of the sweep, in words (None: the default)."""
    return [
        f"{name} is {theirs.get(name)!r} there and {ours.get(name)!r} here"
        for name in sorted({*theirs, *ours})
        if theirs.get(name) != ours.get(name)
    ]


def _branching(parent: Any) -> dict[str, Any]:
    """At which step a run left another, and how, as its run.json has it."""
    if not isinstance(parent, dict):
        return {}
    return {"branches at": parent.get("step"), "reset_optimizer": parent.get("reset_optimizer")}


def _branching_of(job: Job) -> dict[str, Any]:
    if job.branch is None:
        return {}
    return {"branches at": job.step, "reset_optimizer": job.reset_optimizer}


def _check_parent(one: Adoption, places: Mapping[str, Path]) -> None:
    """Refuse a branch that left another run than the sweep's, or that could not go on."""
    job = one.job
    if job.branch is None or job.parent is None:
        return
    parent = (recorded(one.source) or {})["parent"]
    left_at = places.get(job.parent, job.branch.parent) / job.branch.name
    files = manifest_files(left_at) if (left_at / MANIFEST_FILE).is_file() else {}
    ours = {name: facts.sha256 for name, facts in files.items()}
    left = parent.get("weights_sha256") or {}
    if not left or any(ours.get(name) != value for name, value in left.items()):
        raise UserError(
            f"{one.source} is a branch of {quoted(parent.get('checkpoint'))}, whose weights are "
            f"not those of {left_at}: adopt the run that it left too, or first"
        )
    unfinished = Job(job.arm, job.seed, one.source, (), "", job.last).state() != FINISHED
    if unfinished and (job.parent in places or Path(parent["checkpoint"]) != job.branch):
        raise UserError(
            f"{one.source} is not finished, and would look for {parent['checkpoint']}, which is "
            "not where the sweep has it: finish it with hf-grok train --resume, then adopt it"
        )
