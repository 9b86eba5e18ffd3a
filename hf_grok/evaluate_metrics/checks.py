"""Inputs are checked before `evaluate` stores them: it would keep 1.5 as 1 and say nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hf_grok.annotation.rows import Rows, column, label_column
from hf_grok.datasets_scripts.grammar.english import SUBJECT_MODIFIERS
from hf_grok.errors import UserError


def require_pairs(predictions: Any, references: Any) -> list[Any]:
    """The predictions as a list, one for each reference.

    Raises:
        UserError: either is missing or no list, or they are not as many, or there is none.
    """
    for name, values in (("predictions", predictions), ("references", references)):
        if values is None:
            raise UserError(f"no {name} were given: a score needs predictions and references")
    if isinstance(references, str | Mapping) or not hasattr(references, "__len__"):
        raise UserError(
            f"references are one {type(references).__name__}: expected a list or a data set with "
            "an entry for each prediction (data.select(range(10)) is one, data[:10] is a dict)"
        )
    listed = sequence(predictions, "predictions")
    if len(listed) != len(references):
        raise UserError(
            f"{len(listed)} predictions and {len(references)} references: expected one of each "
            "for every example, in the same order"
        )
    if not listed:
        raise UserError("there is nothing to score: expected at least one prediction")
    return listed


def sequence(value: Any, where: str) -> list[Any]:
    """A list, tuple, array or tensor as a plain list.

    Raises:
        UserError: it is none of these.
    """
    plain = _plain(value)
    if isinstance(plain, str | bytes | Mapping) or not isinstance(plain, Iterable):
        raise UserError(f"{where} is {plain!r}: expected a list")
    return [_plain(element) for element in plain]


def whole_numbers(value: Any, where: str) -> list[int]:
    """A list of whole numbers.

    Raises:
        UserError: it is no list, or one of its elements is no int (1.0 is none either).
    """
    return [
        whole_number(element, f"{where}[{place}]")
        for place, element in enumerate(sequence(value, where))
    ]


def whole_number(value: Any, where: str) -> int:
    """An int that is no bool.

    Raises:
        UserError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise UserError(
            f"{where} is {value!r}: expected a whole number of type int. Convert it before: the "
            "library evaluate would cut 1.5 to 1 without a word."
        )
    return value


def texts(value: Any, where: str) -> list[str]:
    """A list of strings.

    Raises:
        UserError: it is no list, or one of its elements is no string.
    """
    return [
        text(element, f"{where}[{place}]") for place, element in enumerate(sequence(value, where))
    ]


def text(value: Any, where: str) -> str:
    """A string.

    Raises:
        UserError: it is something else.
    """
    if not isinstance(value, str):
        raise UserError(f"{where} is {value!r}: expected a string")
    return value


def are_rows(references: Any) -> bool:
    """Whether they are rows of data: a `datasets.Dataset`, or a list of dicts."""
    return hasattr(references, "column_names") or isinstance(next(iter(references)), Mapping)


def require_rows(references: Any) -> Rows:
    """The references, if they are rows of data.

    Raises:
        UserError: one of them is no dict.
    """
    if hasattr(references, "column_names"):
        return references
    for number, row in enumerate(references):
        if not isinstance(row, Mapping):
            raise UserError(
                f"references[{number}] is {row!r}: expected a row of the data set, with its columns"
            )
    return references


def line_rows(references: Any, listed: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of lines with a source and a target, the kind of subject modifier by its name.

    Args:
        references: rows with columns source, target, main_index, subject_modifier.
        listed: their columns that are lists of strings.

    Raises:
        UserError: a column is missing or of another type; names the row.
    """
    rows = require_rows(references)
    kinds = {"source": text, "target": text, "main_index": whole_number}
    kinds |= dict.fromkeys(listed, texts)
    columns: dict[str, list[Any]] = {
        name: [
            check(value, f"references[{number}][{name!r}]")
            for number, value in enumerate(column(rows, name))
        ]
        for name, check in kinds.items()
    }
    columns["subject_modifier"] = label_column(rows, "subject_modifier", SUBJECT_MODIFIERS)
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _plain(value: Any) -> Any:
    """Arrays, tensors and their elements as lists and numbers; anything else as it is."""
    return value.tolist() if hasattr(value, "tolist") else value
