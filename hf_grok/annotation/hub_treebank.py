"""Treebanks as the Hub has them, in columns tokens, head and deprel, as rows of words.

Such rows (`universal_dependencies`) list every line of a CoNLL-U sentence: ranges of multiword
tokens and empty nodes stand among the words, without a head, and heads are numbered without them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from hf_grok.annotation.heads import heads_as_written
from hf_grok.annotation.rows import TOKEN_COLUMNS, Rows
from hf_grok.errors import UserError

TOKENS, HEAD, DEPREL = TOKEN_COLUMNS
# What is of the whole sentence. Other columns have a value for each token, ranges and all.
_KEPT = ("idx", "sent_id", "document", "text")


def is_hub_treebank(columns: Collection[str]) -> bool:
    """Whether rows have tokens, head and deprel, and no words."""
    return "words" not in columns and set(TOKEN_COLUMNS) <= set(columns)


def treebank_rows(rows: Rows) -> Rows:
    """Rows of tokens, head and deprel as rows of words, heads and deprels.

    Tokens without a head ("None", None, "_") are the ranges of multiword tokens ("don't" before
    "do" and "n't") and empty nodes, which are no words: they are left out. A sentence in which no
    token has a head is unparsed: its tokens are its words, its heads None.

    Args:
        rows: a `datasets.Dataset`, such as the split of a treebank of the Hub's
            `universal_dependencies`, or any dicts with these columns.

    Returns:
        a `Dataset` of a `Dataset`, else a list of dicts: words, heads (1-based, 0 the root),
        deprels, and idx, sent_id, document and text where they are there.

    Raises:
        UserError: other columns; not one head and relation for each token; a head that is no
            number. Heads are checked where they are used.

    Source: https://universaldependencies.org/format.html
    """
    if not hasattr(rows, "column_names"):
        return [row_of_words(row, f"row {number}") for number, row in enumerate(rows)]
    _require(rows.column_names, "the data")
    others = [name for name in rows.column_names if name not in _KEPT]
    return rows.map(_batch, batched=True, with_indices=True, remove_columns=others)


def with_words_of_tokens(rows: Rows) -> Rows:
    """`treebank_rows` of rows that are of that kind; any others as they are."""
    columns = getattr(rows, "column_names", None)
    if columns is None:
        columns = next(iter(rows), {})
    return treebank_rows(rows) if is_hub_treebank(columns) else rows


def row_of_words(row: Mapping[str, Any], where: str) -> dict[str, Any]:
    """One row of `treebank_rows`; messages start with `where`."""
    _require(row, where)
    kept = {name: row[name] for name in _KEPT if name in row}
    return {**kept, **_words(row[TOKENS], row[HEAD], row[DEPREL], where)}


def _batch(batch: Mapping[str, Sequence[Any]], numbers: Sequence[int]) -> dict[str, list[Any]]:
    columns = zip(*(batch[name] for name in TOKEN_COLUMNS), strict=True)
    made = [
        _words(tokens, head, deprel, f"row {at}")
        for at, (tokens, head, deprel) in zip(numbers, columns, strict=True)
    ]
    return {name: [row[name] for row in made] for name in ("words", "heads", "deprels")}


def _words(
    tokens: Sequence[str], head: Any, deprel: Sequence[str] | None, where: str
) -> dict[str, Any]:
    heads = [] if head is None else heads_as_written(head, where, "token")
    kept = [at for at, number in enumerate(heads) if number is not None]
    if not kept:
        return {"words": list(tokens), "heads": None, "deprels": None}
    relations = deprel or ()
    if not len(tokens) == len(heads) == len(relations):
        raise UserError(
            f"{where}: {len(tokens)} tokens, {len(heads)} heads and {len(relations)} relations: "
            "expected one of each for a token"
        )
    return {
        "words": [tokens[at] for at in kept],
        "heads": [heads[at] for at in kept],
        "deprels": [relations[at] for at in kept],
    }


def _require(columns: Iterable[str], where: str) -> None:
    present = list(columns)
    if not is_hub_treebank(present):
        raise UserError(
            f"{where} has the columns {', '.join(present) or '(none)'}: expected "
            f"{', '.join(TOKEN_COLUMNS)}, and no words"
        )
