"""What a branch shares with its parent, argument by argument, and what it may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.recipes.recipe import Settings
from hf_grok.runs.record import default_of

# What says when something is looked at, kept or told, and how fast; not what is trained on what.
FREE = {
    "output_dir",
    "max_steps",
    "stop_after",
    "evaluations",
    "checkpoints",
    "report_to",
    "run_name",
    "project",
    "disable_tqdm",
    "threads",
    "metric_for_best_model",
    "greater_is_better",
    "load_best_model_at_end",
    # Set from what `precision` chose, which is compared as such.
    "bf16",
    "mixed_precision",
}
FREE_PREFIXES = ("sas_", "series", "logging_", "log_", "save_", "hub_", "push_", "trackio_")


def bound_values(settings: Settings) -> dict[str, Any]:
    """Every argument that a branch shares with its parent and that is not at its default."""
    return {
        item.name: plain(getattr(group, item.name))
        for group in (settings.data, settings.model, settings.training)
        for item in fields(group)
        if item.init
        and not is_free(item.name)
        and plain(getattr(group, item.name)) != plain(default_of(item))
    }


def is_free(name: str) -> bool:
    """Whether a branch may differ from its parent in this argument."""
    return name in FREE or name.startswith(FREE_PREFIXES)


def plain(value: Any) -> Any:
    """The value as JSON has it: an enumeration's own, an empty collection as None."""
    value = getattr(value, "value", value)
    if isinstance(value, list | tuple | dict) and not value:
        return None
    return value if isinstance(value, str | int | float | list | dict) else None


def check_shared(parent: str | Path, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    """Refuse a branch that is not the run that it leaves.

    Args:
        parent: what it leaves, for messages.
        theirs: what the parent was told, such as `bound_values` of it.
        ours: the same of the branch.

    Raises:
        UserError: names every value that differs.
    """
    differing = different(theirs, ours)
    if differing:
        told = "; ".join(
            f"{name} was {pair['parent']} and is {pair['branch']}"
            for name, pair in differing.items()
        )
        raise UserError(
            f"this run cannot branch off {parent}: {told} (None: at its default). A branch keeps "
            "the model, the data, the seed, the batch and the optimiser of its parent; it may "
            "change the regulariser (sas_...), max_steps, and what is evaluated, saved and logged"
        )


def different(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """name -> both values, where they are not the same; None for a value at its default."""
    return {
        name: {"parent": theirs.get(name), "branch": ours.get(name)}
        for name in sorted({*theirs, *ours})
        if theirs.get(name) != ours.get(name)
    }
