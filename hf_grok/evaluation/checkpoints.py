"""Where the models to probe are: a folder, a run's checkpoints, a Hub repository's revisions."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi
from torch import nn
from transformers import PreTrainedTokenizerBase

from hf_grok.errors import UserError
from hf_grok.evaluation.adapters import ADAPTER
from hf_grok.evaluation.loading import load
from hf_grok.evaluation.remote import PATIENCE, asked
from hf_grok.runs.folder import blocks_of, checkpoints, step_of
from hf_grok.runs.manifest import is_incomplete
from hf_grok.series.naming import MAIN
from hf_grok.series.revision_names import STEPS, NameReader


def _say(text: str) -> None:
    print(text, file=sys.stderr)


# Of a model, or of an adapter of one.
CONFIGS = ("config.json", ADAPTER)


@dataclass(frozen=True)
class Checkpoint:
    """One model to look at.

    Attributes:
        source: local folder or Hub repository.
        revision: its name in results: "step2000", a branch or tag, or "" for a plain folder.
        step: the number in its name, where there is one: of the optimiser's steps, or of `unit`.
        identity: of its content: the Hub's commit, or the digest of the weights' files.
        hub_revision: the commit to load; None for a folder.
        unit: what `step` counts: "steps", or "words", "tokens", "checkpoints", "epochs".
    """

    source: str
    revision: str
    step: int | None
    identity: str
    hub_revision: str | None = None
    unit: str = STEPS

    def load(self) -> tuple[nn.Module, PreTrainedTokenizerBase]:
        """The model in evaluation mode, and its tokenizer: `hf_grok.evaluation.loading.load`."""
        return load(self.source, self.hub_revision)


def find_checkpoints(
    model: str,
    revision: str | None = None,
    *,
    names: NameReader | None = None,
    say: Callable[[str], None] = _say,
) -> list[Checkpoint]:
    """What `model` names: one checkpoint, or a series in order of its steps.

    Args:
        model: a folder with a model; a run's folder with `checkpoint-N` in it; or a Hub
            repository, whose branches and tags `stepN` (or named alike) are a series.
        revision: one revision of a Hub repository.
        names: what tells the steps of a repository; by default the names of published series.
        say: is told what of a repository is left out, and why.

    Returns:
        Of a repository in which no name says a step, `main`; an empty list where there is none.

    Raises:
        UserError: nothing is there, or the Hub cannot be asked.
    """
    folder = Path(model)
    if folder.is_dir():
        if revision is not None:
            raise UserError(f"{model} is a folder: --revision chooses one of a Hub repository")
        return _local(folder)
    if folder.exists():
        raise UserError(f"{model} is a file: expected a folder with a model, or a Hub repository")
    return _of_hub(model, revision, names or NameReader(), say)


def at_steps(found: Sequence[Checkpoint], text: str | None) -> list[Checkpoint]:
    """Those of a series that are asked for; all if nothing is.

    Args:
        found: a series in order of its steps.
        text: "last", or steps with commas between them; None for all.

    Raises:
        UserError: something else, a step that the series has not, or no checkpoint at all.
    """
    if not found:
        raise UserError(
            "there is no checkpoint to look at: no branch or tag says a step, and there is no "
            "main; --revision names one, --revisions REGEX reads names of steps"
        )
    if text is None:
        return list(found)
    if text == "last":
        return [found[-1]]
    try:
        wanted = {int(part) for part in text.split(",")}
    except ValueError:
        raise UserError(
            f'--steps {text}: expected "last", or steps with commas between them: 1000,3000'
        ) from None
    known = {checkpoint.step for checkpoint in found}
    if missing := wanted - known:
        there = ", ".join(str(step) for step in sorted(step for step in known if step is not None))
        raise UserError(
            f"--steps {text}: there is no checkpoint of step {min(missing)}; there are those of "
            f"{there or 'no step at all'}"
        )
    return [checkpoint for checkpoint in found if checkpoint.step in wanted]


def _local(folder: Path) -> list[Checkpoint]:
    found = [
        Checkpoint(str(path), f"step{step_of(path)}", step_of(path), _digest(path))
        for path in checkpoints(folder)
        if _holds_model(path) and not is_incomplete(path)
    ]
    if found:
        return found
    if _holds_model(folder):
        step = step_of(folder)
        if step < 0:
            return [Checkpoint(str(folder), "", None, _digest(folder))]
        return [Checkpoint(str(folder), f"step{step}", step, _digest(folder))]
    names = sorted(path.name for path in folder.iterdir())[:8]
    raise UserError(
        f"{folder} holds no model: expected config.json and weights, or "
        f"{ADAPTER} and those of an adapter, or folders checkpoint-N as a "
        f"run leaves them; found {', '.join(names) or 'nothing'}"
    )


def _holds_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in CONFIGS)


def _digest(folder: Path) -> str:
    """Of the weights' names and contents."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")]):
        digest.update(path.name.encode())
        for block in blocks_of(path):
            digest.update(block)
    return digest.hexdigest()[:16]


def _of_hub(
    repository: str, revision: str | None, names: NameReader, say: Callable[[str], None]
) -> list[Checkpoint]:
    with asked(repository, revision):
        if revision is not None:
            api = HfApi()
            commit = str(api.model_info(repository, revision=revision, timeout=PATIENCE).sha)
            return [_hub_checkpoint(repository, revision, commit, names)]
        refs = HfApi().list_repo_refs(repository)
    named = {ref.name: ref.target_commit for ref in [*refs.tags, *refs.branches]}
    read = names.read(named)
    if (left_out := read.what_is_left_out()) is not None:
        say(f"{repository}: {left_out}")
    chosen = list(read.steps) or [name for name in named if name == MAIN]
    if chosen == [MAIN]:
        say(f"{repository}: no branch or tag says a step, so {MAIN} alone is looked at")
    units = sorted({step.unit for step in read.steps.values()} - {STEPS})
    if units:
        say(f"{repository}: the numbers in its names are {', '.join(units)}, no steps")
    return [_hub_checkpoint(repository, name, named[name], names) for name in chosen]


def _hub_checkpoint(repository: str, revision: str, commit: str, names: NameReader) -> Checkpoint:
    known = names.step(revision)
    if known is None:
        return Checkpoint(repository, revision, None, commit, hub_revision=commit)
    return Checkpoint(repository, revision, known.step, commit, commit, known.unit)
