"""Encoded rows in the form that another library's Trainer takes."""

from __future__ import annotations

import inspect
from typing import Any

from hf_grok.errors import UserError
from hf_grok.sas.arguments import SASArguments
from hf_grok.sas.batches.encoding import WORDS
from hf_grok.sas.batches.row import INPUT_IDS
from hf_grok.sas.batches.rows import ArcRows
from hf_grok.sas.checks import check_rows_are_not_joined

ROWS = {"train_dataset", "eval_dataset"}
# The columns by which TRL knows how to cut a row into tokens, beside the one of texts.
PREPARED_FROM = (INPUT_IDS, "messages", "conversations", "prompt")


def rows_as_wanted(
    trainer: type, given: tuple[Any, ...], named: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a Trainer, its `ArcRows` as a `datasets.Dataset` where it takes only that.

    That is so of TRL's trainers. Elsewhere rows stay as they are, which is quicker by the step.

    Args:
        trainer: the class.
        given: by position.
        named: by name.

    Raises:
        UserError: rows that TRL would join, or could not cut into tokens.
    """
    theirs = [kind for kind in trainer.__mro__ if kind.__module__.partition(".")[0] == "trl"]
    if not theirs:
        return given, named
    order = list(inspect.signature(theirs[0]).parameters)[: len(given)]
    found = {**dict(zip(order, given, strict=False)), **named}
    settings = found.get("args")
    if isinstance(settings, SASArguments) and not settings.penalty_schedule().is_off:
        check_rows_are_not_joined(settings)
    for name in ROWS & found.keys():
        found[name] = _as_dataset(found[name], settings)
    return tuple(found[name] for name in order), {name: found[name] for name in named}


def _as_dataset(rows: Any, settings: Any) -> Any:
    if isinstance(rows, dict):
        return {name: _as_dataset(each, settings) for name, each in rows.items()}
    if isinstance(rows, ArcRows):
        return rows.to_dataset()
    columns = set(getattr(rows, "column_names", None) or ())
    text = getattr(settings, "dataset_text_field", "text")
    as_they_are = (getattr(settings, "dataset_kwargs", None) or {}).get("skip_prepare_dataset")
    if WORDS in columns and not as_they_are and not columns & {text, *PREPARED_FROM}:
        raise UserError(
            f"TRL cuts a column {text!r} into tokens, and the rows have words: give it "
            "hf_grok.sas.encode_rows(rows, tokenizer), or the rows with "
            "dataset_kwargs={'skip_prepare_dataset': True} in its arguments"
        )
    return rows
