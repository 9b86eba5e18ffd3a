"""Rows in the layout that Chen et al. 2024 publish: heads by the position of their token."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.heads import NONE, check_no_cycle, read_heads, relation_id
from hf_grok.errors import UserError
from hf_grok.sas.batches.row import INPUT_IDS, TOKEN_TYPES, ArcRow

PUBLISHED_HEADS = "heads"
PUBLISHED_RELATIONS = "relns"
ATTENTION_MASK = "attention_mask"
ROOT_RELATIONS = ("root", "ROOT")
# Positions of the token that the first of a row's heads may belong to.
FIRST_HEADS = (0, 1)


def row_from_published(
    row: Mapping[str, Any],
    where: str,
    *,
    special: Collection[int],
    root_relations: Collection[str | int] = ROOT_RELATIONS,
    relation_names: Sequence[str] | None = None,
    first_head: int | None = None,
) -> tuple[ArcRow, int]:
    """A row of input_ids, heads and relns as it is: every token is a word; and its roots.

    There are two numberings. In the one, `heads[t]` and `relns[t]` are those of the token at
    position t; in the other, which the released trainer reads, those of the token at t + 1, since
    the special token in front is not counted. A head is a position of the row in both. A row that
    is a tree in one of them only is read so; one that is a tree in both, or in neither, is refused.

    Padding (attention_mask 0) is dropped. A token whose relation is one of `root_relations` is a
    root if its head is itself, a special token or -1; of any other, such a head is an error.

    Args:
        row: `heads` has the 0-based position of the first token of a token's head, -1 where there
            is none; `relns` a relation's name or number; attention_mask and token_type_ids are
            optional. A row whose heads are None, missing entries, or -1 throughout is unparsed.
        where: what error messages start with.
        special: ids of the special tokens, see `special_ids`.
        root_relations: names, or numbers.
        relation_names: the names of numbered relations; without it, number 7 is named "7".
        first_head: position of the token that `heads[0]` belongs to, 0 or 1; None tells it by the
            row.

    Raises:
        UserError: columns of different lengths; a head outside the row, its own token, a special
            token or padding; a special token with a head; heads that go in a cycle; a number
            beyond `relation_names`; a row that fits both numberings.

    Source: Chen et al. 2024 (arXiv 2309.07311), columns of the released data.
    """
    heads = read_heads(row[PUBLISHED_HEADS], where, unit="token", first=0)
    row = {**row, PUBLISHED_HEADS: heads}
    read = partial(
        _row, where=where, special=special, roots=root_relations, relation_names=relation_names
    )
    if first_head is not None:
        return read(_moved(row, first_head, where))
    readings: list[tuple[ArcRow, int]] = []
    errors: list[UserError] = []
    for first in FIRST_HEADS:
        try:
            readings.append(read(_moved(row, first, where)))
        except UserError as error:
            errors.append(error)
    if not readings:
        raise UserError(
            f"{errors[0]}. Nor is it a tree if heads[0] belongs to the token at position 1, the "
            f"special token in front not counted: {errors[1]}"
        ) from errors[0]
    found, *others = readings
    if any((other.heads != found[0].heads).any() for other, _ in others):
        raise UserError(
            f"{where}: heads[0] may belong to the token at position 0, or to that at position 1 "
            "(the special token in front not counted), and the row is a tree either way: say which "
            "by first_head=0 or first_head=1"
        )
    return found


def _moved(row: Mapping[str, Any], first_head: int, where: str) -> Mapping[str, Any]:
    """The row with `heads` and `relns` at the positions of their tokens."""
    heads, relations = row[PUBLISHED_HEADS], row[PUBLISHED_RELATIONS]
    if first_head == 0 or heads is None:
        return row
    tokens, given = len(row[INPUT_IDS]), len(heads)
    # Special tokens, one in front and one behind, or padding up to as many entries as tokens.
    if not tokens - 2 <= given <= tokens:
        raise UserError(f"{where}: {tokens} input_ids and {given} heads: expected one each")
    names = [] if relations is None else list(relations)
    if len(names) != given:
        raise UserError(f"{where}: {given} heads and {len(names)} relns: expected one each")
    if given == tokens and heads[-1] != NONE:
        raise UserError(f"{where}: the last of {given} heads belongs to a token behind the row")
    behind = max(tokens - 1 - given, 0)
    return {
        **row,
        PUBLISHED_HEADS: [NONE, *heads[: tokens - 1], *[NONE] * behind],
        PUBLISHED_RELATIONS: ["", *names[: tokens - 1], *[""] * behind],
    }


def _row(
    row: Mapping[str, Any],
    *,
    where: str,
    special: Collection[int],
    roots: Collection[str | int],
    relation_names: Sequence[str] | None,
) -> tuple[ArcRow, int]:
    ids = np.asarray(row[INPUT_IDS], dtype=np.int64)
    real = _real(row, ids)
    heads = _heads(row, real, where)
    names = _relations(row, len(ids), heads, where)
    is_special = np.isin(ids, list(special)) | ~real
    found = _take_roots(heads, names, is_special, set(roots))
    _check(heads, real, is_special, where)
    check_no_cycle(heads.tolist(), where)
    numbers = [
        NONE if head == NONE else _relation(name, relation_names, where)
        for name, head in zip(names, heads, strict=True)
    ]
    moved = np.cumsum(real) - 1  # where each token stands once padding is dropped
    heads = np.where(heads == NONE, NONE, moved[heads])[real]
    types = row.get(TOKEN_TYPES)
    arcs = ArcRow(
        ids=ids[real],
        word_of=np.where(is_special[real], NONE, np.arange(int(real.sum()))),
        heads=heads,
        relations=np.asarray(numbers, dtype=np.int64)[real],
        token_types=None if types is None else np.asarray(types, dtype=np.int64)[real],
    )
    return arcs, found


def special_ids(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Ids of tokens that stand for no text; the unknown token is one only in another role."""
    named = ("bos_token", "eos_token", "cls_token", "sep_token", "pad_token", "mask_token")
    own = {getattr(tokenizer, f"{name}_id") for name in named} - {None}
    return frozenset(own | (set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}))


def _real(row: Mapping[str, Any], ids: np.ndarray) -> np.ndarray:
    mask = row.get(ATTENTION_MASK)
    return np.ones(len(ids), dtype=bool) if mask is None else np.asarray(mask) != 0


def _heads(row: Mapping[str, Any], real: np.ndarray, where: str) -> np.ndarray:
    given, tokens = row[PUBLISHED_HEADS], len(real)
    if given is None:
        return np.full(tokens, NONE)
    if len(given) != tokens:
        raise UserError(f"{where}: {tokens} input_ids and {len(given)} heads: expected one each")
    listed = np.where(real, np.asarray(given, dtype=np.int64), NONE)
    if listed.min() < NONE or listed.max() >= tokens:
        token = int(np.flatnonzero((listed < NONE) | (listed >= tokens))[0])
        raise UserError(
            f"{where}: token {token} has head {listed[token]}: expected a position, 0 to "
            f"{tokens - 1}, or -1 for none"
        )
    return listed


def _relations(
    row: Mapping[str, Any], tokens: int, heads: np.ndarray, where: str
) -> list[str | int]:
    given = row[PUBLISHED_RELATIONS]
    if (given is None or not len(given)) and (heads == NONE).all():
        return [""] * tokens
    listed = [] if given is None else [_plain(name) for name in given]
    if len(listed) != tokens:
        raise UserError(f"{where}: {tokens} input_ids and {len(listed)} relns: expected one each")
    return listed


def _plain(name: Any) -> str | int:
    return name if isinstance(name, str) else int(name)


def _take_roots(
    heads: np.ndarray, names: Sequence[str | int], special: np.ndarray, roots: set[str | int]
) -> int:
    """Set the heads of roots to -1, and count them."""
    found = 0
    for token in np.flatnonzero([name in roots for name in names]).tolist():
        head = heads[token]
        if not special[token] and (head in (NONE, token) or special[head]):
            heads[token] = NONE
            found += 1
    return found


def _check(heads: np.ndarray, real: np.ndarray, special: np.ndarray, where: str) -> None:
    for token in np.flatnonzero((heads != NONE) & real).tolist():
        head = int(heads[token])
        if special[token]:
            raise UserError(f"{where}: token {token} is a special token and has head {head}")
        if head == token or special[head]:
            what = "itself" if head == token else "a special token or padding"
            raise UserError(
                f"{where}: the head of token {token} is {head}, which is {what}: expected another "
                "word's token, or -1 for none; if it is a root, say so in root_relations"
            )


def _relation(name: str | int, names: Sequence[str] | None, where: str) -> int:
    if isinstance(name, str) or names is None:
        return relation_id(str(name))
    if not 0 <= name < len(names):
        raise UserError(
            f"{where}: relation {name}: expected 0 to {len(names) - 1}, as relation_names has them"
        )
    return relation_id(names[name])
