"""What a Trainer knows of its run, for the cards: RUN/series/about.json, laid out as run.json is.

A plain Trainer leaves its arguments in a pickle only, which nobody should have to open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hf_grok.runs.epochs import Epoch
from hf_grok.runs.folder import ABOUT_FILE, write_json
from hf_grok.runs.record import changed_values, machine, versions
from hf_grok.text.json_reading import read_object


def about_training(
    arguments: Any,
    *,
    parameters: int,
    threads: int,
    epoch: Epoch | None,
    data: Mapping[str, Any],
) -> dict[str, Any]:
    """What a Trainer knows of its run, in run.json's layout.

    Args:
        arguments: `TrainingArguments`, or a subclass with more fields.
        parameters: of the model.
        threads: of the processor that it uses.
        epoch: what one pass over its data reads; None where nobody knows.
        data: what the training data say of themselves.
    """
    return {
        "seed": arguments.seed,
        "arguments": changed_values(arguments),
        "chosen": {"processes": arguments.world_size},
        "epoch": None if epoch is None else asdict(epoch),
        "data": dict(data),
        "versions": versions("safetensors"),
        "machine": machine(arguments.device.type, threads),
        "model": {"parameters": parameters},
        "annotation": {
            "training": getattr(arguments, "sas_scheme", None),
            "evaluation": getattr(arguments, "sas_evaluation_scheme", None),
        },
    }


def write_about(run: Path, about: Mapping[str, Any]) -> None:
    """Keep what is known of a run for its cards, where `read_notes` finds it."""
    path = run / ABOUT_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, about)


def note_runtime(run: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Add the seconds that a run took, begun at step 0 and ended in this process.

    Of a run that was resumed nobody knows how long the earlier processes lived.

    Args:
        run: the folder that `write_about` was given.
        history: Trainer's `log_history`, whose last row says it.
    """
    seconds = [row["train_runtime"] for row in history if "train_runtime" in row]
    if seconds:
        about = read_object(run / ABOUT_FILE)
        write_about(run, {**about, "seconds": seconds[-1]})
