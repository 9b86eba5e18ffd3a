"""A run that goes on from a checkpoint of another one: same data, model and seed, other phases."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.recipes.recipe import Settings
from hf_grok.recipes.shared import bound_values, check_shared, different
from hf_grok.runs.folder import (
    METRICS_FILE,
    PROBES_FILE,
    RUN_FILE,
    checkpoints,
    step_of,
)
from hf_grok.runs.json_lines import rewind
from hf_grok.runs.manifest import flaw, manifest_files
from hf_grok.runs.record import recorded
from hf_grok.text.printable import quoted

WEIGHTS = ".safetensors"
# What run.json says of a parent, part by part.
_SHARED = ("bound_arguments", "arguments", "data", "chosen")


@dataclass(frozen=True)
class Branch:
    """Where a run begins instead of at step 0.

    Attributes:
        checkpoint: folder of the parent's checkpoint.
        reset_optimizer: whether the optimiser's moments start afresh there (a control: what a
            change of the loss does with and without what the moments remember). The schedule of
            the learning rate goes on.
    """

    checkpoint: Path
    reset_optimizer: bool = False

    @property
    def step(self) -> int:
        """The step that the parent had reached."""
        return step_of(self.checkpoint)

    @property
    def parent(self) -> Path:
        """The parent's folder."""
        return self.checkpoint.parent

    @property
    def suffix(self) -> str:
        """What tells a branch from its parent in the name of its folder."""
        return f"-from{self.step}" + ("-fresh-optimizer" if self.reset_optimizer else "")


def find_checkpoint(text: str, parent: Path) -> Path:
    """The checkpoint that `--from-checkpoint` names: a step of `parent`, or a folder.

    Raises:
        UserError: there is none; names those that there are.
    """
    if not text.isdecimal():
        folder = Path(text)
        if step_of(folder) < 0 or not folder.is_dir():
            raise UserError(
                f"--from-checkpoint {text}: expected a step, or an existing folder "
                "RUN/checkpoint-STEP"
            )
        return folder
    folder = parent / f"checkpoint-{int(text)}"
    if not folder.is_dir():
        steps = ", ".join(str(step_of(path)) for path in checkpoints(parent)) or "none"
        raise UserError(
            f"--from-checkpoint {text}: {parent} has no checkpoint of this step (it has {steps}): "
            "name one of them, or another run with --parent"
        )
    return folder


def check_branch(branch: Branch, settings: Settings) -> None:
    """The parent's checkpoint is whole, and this run continues it: same model, data, seed, batch.

    Raises:
        UserError: a damaged checkpoint, the parent's own folder, nothing left to train, or an
            argument that differs and must not; names both values.
    """
    wrong = flaw(branch.checkpoint)
    if wrong is not None:
        raise UserError(f"{branch.checkpoint} is not whole: {wrong}. Branch off another one.")
    folder = Path(str(settings.training.output_dir))
    if folder.resolve() == branch.parent.resolve():
        raise UserError(
            f"a branch of {branch.parent} cannot be written into its own folder: choose another "
            "one with --output_dir, or go on with the run itself with --resume"
        )
    if settings.training.max_steps <= branch.step:
        raise UserError(
            f"max_steps={settings.training.max_steps} and a branch from step {branch.step}: "
            "nothing is left to train"
        )
    check_shared(branch.parent, parent_info(branch)["bound_arguments"], bound_values(settings))


def parent_info(branch: Branch) -> dict[str, Any]:
    """The parent's run.json.

    Raises:
        UserError: there is none, or it does not say what a branch must share.
    """
    info = recorded(branch.parent)
    if info is None:
        raise UserError(
            f"{branch.parent} has no {RUN_FILE}: expected the folder of a run of hf-grok train"
        )
    if not all(isinstance(info.get(part), dict) for part in _SHARED):
        raise UserError(
            f"{branch.parent / RUN_FILE} does not say all that a branch must share with its parent "
            f"(it was written by hf-grok {info.get('hf_grok_version')}): train the parent anew"
        )
    return info


def check_same_setting(branch: Branch, info: Mapping[str, Any]) -> None:
    """The data are those that the parent read, and the machine does as the parent's did.

    Raises:
        UserError: other training data, precision, attention, dropout masks or processes.
    """
    theirs = parent_info(branch)
    for part in ("data", "chosen"):
        mine, parents = ({**one[part]} for one in (info, theirs))
        for one in (mine, parents):
            one.pop("threads", None)
        check_shared(branch.parent, parents, mine)


def parent_record(branch: Branch, info: Mapping[str, Any]) -> dict[str, Any]:
    """What run.json says of the parent: checkpoint, step, weights, and where the two differ."""
    files = manifest_files(branch.checkpoint)
    theirs, ours = (
        {key: value for key, value in one["arguments"].items() if key != "output_dir"}
        for one in (parent_info(branch), info)
    )
    return {
        "checkpoint": branch.checkpoint.as_posix(),
        "step": branch.step,
        "weights_sha256": {
            name: facts.sha256 for name, facts in files.items() if name.endswith(WEIGHTS)
        },
        "reset_optimizer": branch.reset_optimizer,
        "different": different(theirs, ours),
    }


def inherit_tables(branch: Branch, folder: Path) -> None:
    """Begin the branch's tables with the parent's; rows after the branching are cut off later.

    Those of probes at once: a branch that probes nothing would keep them.
    """
    for name in (METRICS_FILE, PROBES_FILE):
        if (branch.parent / name).is_file():
            shutil.copyfile(branch.parent / name, folder / name)
    rewind(folder / PROBES_FILE, branch.step)


def resumed_branch(folder: Path, asked: Branch | None) -> Branch | None:
    """The branch that the run in `folder` is, for one that is resumed; None for no branch.

    Raises:
        UserError: `asked` is another one.
    """
    info = recorded(folder)
    if info is None:
        return asked
    parent = info.get("parent")
    found = None if parent is None else _recorded_branch(parent, folder / RUN_FILE)
    if asked is not None and asked != found:
        raise UserError(
            f"{folder} is {_told(found)}, and was to be resumed as {_told(asked)}: leave "
            "--from-checkpoint away, or choose another folder with --output_dir"
        )
    return found


def _recorded_branch(parent: Any, path: Path) -> Branch:
    try:
        checkpoint, reset = parent["checkpoint"], parent["reset_optimizer"]
    except (KeyError, TypeError):
        checkpoint = reset = None
    if not isinstance(checkpoint, str) or not isinstance(reset, bool):
        raise UserError(
            f"{path}: expected parent to name a checkpoint and to say reset_optimizer, as "
            f"hf-grok train writes it, got {quoted(parent)}"
        )
    return Branch(Path(checkpoint), reset)


def _told(branch: Branch | None) -> str:
    if branch is None:
        return "no branch of another run"
    reset = ", its optimiser reset" if branch.reset_optimizer else ""
    return f"a branch from {branch.checkpoint}{reset}"
