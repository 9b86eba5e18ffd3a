"""From a plan to its runs: the folder, the command line and the data of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.recipes.checks import check_settings
from hf_grok.recipes.probes import foreign_versions
from hf_grok.recipes.recipe import Recipe, Settings, load_recipe, parse
from hf_grok.recipes.shared import bound_values, check_shared
from hf_grok.runs.schedule import AmountSchedule, parse_schedule
from hf_grok.runs.sweep_files import run_folder
from hf_grok.sweep.arms import Arm
from hf_grok.sweep.job import Job
from hf_grok.sweep.plan import Plan
from hf_grok.sweep.prepare import data_key


def make_jobs(plan: Plan, out: Path) -> list[Job]:
    """Every run of the plan: by seed, then by arm, those that others branch off first.

    Raises:
        UserError: a recipe or a value that hf_grok.train would refuse, with the arm it is of; a
            branch at or after the last step of its run; one that is not the run that it leaves.
    """
    recipe = load_recipe(plan.recipe, plan.scale)
    arms = plan.in_order()
    jobs = [_job(plan, arm, seed, recipe, out) for seed in plan.seeds for arm in arms]
    for arm in arms:
        if arm.parent is not None:
            _check_branch(arm, plan.arms[arm.parent], recipe)
    return jobs


def _check_branch(arm: Arm, parent: Arm, recipe: Recipe) -> None:
    """Refuse now what the branch itself would refuse once its parent has been trained for it."""
    ours, theirs = (_parsed(recipe, one, _options(one, 0, Path(one.name))) for one in (arm, parent))
    if ours.training.max_steps <= arm.step:
        raise UserError(
            f"arm {arm.name} branches off at step {arm.step}, and its max_steps is "
            f"{ours.training.max_steps}: nothing is left to train"
        )
    try:
        check_shared(f"arm {parent.name}", bound_values(theirs), bound_values(ours))
    except UserError as error:
        raise UserError(f"arm {arm.name}: {error}") from error


def _job(plan: Plan, arm: Arm, seed: int, recipe: Recipe, out: Path) -> Job:
    folder = run_folder(out, arm.name, seed)
    options = _options(arm, seed, folder)
    settings = _parsed(recipe, arm, options)
    last = settings.training.max_steps
    steps = plan.branch_steps(arm.name)
    if steps and steps[-1] >= last:
        raise UserError(
            f"{plan.name}: an arm branches off {arm.name} at step {steps[-1]}, but its runs end at "
            f"{last}: expected a step before"
        )
    if steps:
        options["checkpoints"] = _with_steps(settings.training.checkpoints, steps)
    parent = None if arm.parent is None else run_folder(out, arm.parent, seed)
    scale = ("--scale", plan.scale) if plan.scale else ()
    return Job(
        arm=arm.name,
        seed=seed,
        folder=folder,
        words=(plan.recipe, *scale, *as_words(options)),
        data=data_key(settings),
        last=last,
        branch=None if parent is None else parent / f"checkpoint-{arm.step}",
        step=arm.step,
        reset_optimizer=arm.reset_optimizer,
        on_cpu=settings.training.use_cpu,
        packages=foreign_versions(settings),
    )


def _options(arm: Arm, seed: int, folder: Path) -> dict[str, Any]:
    """One thread a run and no bar in its log, unless the sweep's file says otherwise."""
    ours = {"threads": 1, "disable_tqdm": True}
    return {**ours, **arm.settings, "seed": seed, "output_dir": str(folder)}


def _parsed(recipe: Recipe, arm: Arm, options: Mapping[str, Any]) -> Settings:
    try:
        settings = parse(recipe, as_words(options))
        check_settings(settings)
    except UserError as error:
        raise UserError(f"arm {arm.name}: {error}") from error
    return settings


def _with_steps(schedule: str, steps: tuple[int, ...]) -> str:
    """The schedule's own steps and those of the branches."""
    found = parse_schedule(schedule)
    if steps and isinstance(found, AmountSchedule):
        raise UserError(
            f"checkpoints {found} are not counted in steps, and arms branch off steps "
            f"{', '.join(map(str, steps))}: say checkpoints in steps, such as every:500"
        )
    return str(found if isinstance(found, AmountSchedule) else found.with_steps(steps))


def as_words(options: Mapping[str, Any]) -> list[str]:
    """Values as a recipe writes them, as words of the command line; None leaves the default."""
    words = []
    for key, value in options.items():
        if isinstance(value, list):
            words += [f"--{key}", *map(str, value)]
        elif value is not None:
            text = json.dumps(value) if isinstance(value, dict) else str(value)
            words.append(f"--{key}={text}")
    return words
