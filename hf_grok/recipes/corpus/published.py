"""A corpus in the published layout: input_ids, heads, relns, cut by a tokenizer that it names not.

Tokens stand for words: a sentence is the names of its tokens ("play", "##ing"), without special
tokens and padding, with a head each. So it is packed as any other, and its ids are never cut anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.heads import NONE, relation_id
from hf_grok.errors import UserError
from hf_grok.recipes.corpus.tables import tables
from hf_grok.recipes.corpus.word_tokens import special_around
from hf_grok.sas.batches.published import (
    ATTENTION_MASK,
    PUBLISHED_HEADS,
    PUBLISHED_RELATIONS,
    row_from_published,
    special_ids,
)
from hf_grok.sas.batches.row import INPUT_IDS
from hf_grok.sources.source import Source

COLUMNS = (INPUT_IDS, PUBLISHED_HEADS, PUBLISHED_RELATIONS, ATTENTION_MASK, "document")
_NEEDED = {INPUT_IDS, PUBLISHED_HEADS, PUBLISHED_RELATIONS}


def is_published(source: Source) -> bool:
    """Whether its rows have input_ids, heads and relns, and no words."""
    _, table = next(iter(tables(source, (*COLUMNS, "words"))))
    return set(table.column_names) >= _NEEDED and "words" not in table.column_names


def require_one_layout(sources: Sequence[Source], *, named: bool) -> bool:
    """Whether the sources are in the published layout.

    Args:
        sources: all that a run reads.
        named: whether a pretrained tokenizer was named.

    Raises:
        UserError: some are and some have words; or the tokenizer of their ids is not stated.
    """
    published = {source.name: is_published(source) for source in sources}
    if not any(published.values()):
        return False
    first = next(name for name, own in published.items() if own)
    if not all(published.values()):
        other = next(name for name, own in published.items() if not own)
        raise UserError(
            f"{first} has input_ids and {other} has words: expected all data of a run in one layout"
        )
    if not named:
        raise UserError(
            f"{first} has input_ids, and nothing says whose: name the tokenizer that cut them with "
            "--tokenizer (--tokenizer bert-base-uncased for the released data of Chen et al. 2024)"
        )
    return True


def published_tables(
    source: Source, tokenizer: PreTrainedTokenizerBase, *, heads: bool
) -> Iterator[tuple[str, pa.Table]]:
    """The rows of a source as tables of words, heads, deprels and document; words are tokens.

    Args:
        source: in the published layout.
        tokenizer: that cut it.
        heads: read heads and relations.

    Raises:
        UserError: what `row_from_published` refuses; an id that the tokenizer does not have.
    """
    special = special_ids(tokenizer)
    names = _names(tokenizer)
    row, last = 0, None
    for name, table in tables(source, COLUMNS):
        row, last = (row if name == last else 0), name
        made = []
        for at, given in enumerate(table.to_pylist(), start=row):
            where = f"{name}, row {at}"
            _require_known(given[INPUT_IDS], len(names), where)
            made.append(
                _sentence(given, names, special, where, name, source.first_head, heads=heads)
            )
        row += table.num_rows
        yield name, pa.Table.from_pylist(made)


def _names(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """The name of each token, by its id."""
    return [str(tokenizer.convert_ids_to_tokens(number)) for number in range(len(tokenizer))]


def _require_known(ids: Sequence[int], size: int, where: str) -> None:
    if ids and not 0 <= min(ids) <= max(ids) < size:
        raise UserError(
            f"{where}: input_ids from {min(ids)} to {max(ids)}, and the tokenizer has {size:,} "
            "tokens: name the one that cut these data with --tokenizer"
        )


def _sentence(
    given: Mapping[str, Any],
    names: Sequence[str],
    special: frozenset[int],
    where: str,
    file: str,
    first_head: int | None,
    *,
    heads: bool,
) -> dict[str, Any]:
    arcs, _ = row_from_published(given, where, special=special, first_head=first_head)
    real = np.flatnonzero(arcs.word_of != NONE)
    if not len(real):
        raise UserError(f"{where} has no token but special ones: leave it out")
    made: dict[str, Any] = {
        "words": [names[token] for token in arcs.ids[real].tolist()],
        "document": given.get("document") or file,
    }
    if not heads:
        return made
    place = np.full(len(arcs.ids), NONE)
    place[real] = np.arange(1, len(real) + 1)
    own = arcs.heads[real]
    unparsed = bool((arcs.heads == NONE).all())
    at_root = NONE if unparsed else 0
    called = {relation_id(str(one)): str(one) for one in given[PUBLISHED_RELATIONS] or ()}
    return {
        **made,
        "heads": np.where(own == NONE, at_root, place[own]).tolist(),
        "deprels": [called.get(number, "root") for number in arcs.relations[real].tolist()],
    }


class TokenIds:
    """What `WordTokens` is, where words are the names of tokens already: each is one token.

    Args:
        tokenizer: whose names they are.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.words = _names(tokenizer)
        self.before, self.after = special_around(tokenizer)
        self._number = {name: number for number, name in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def numbers(self, vocabulary: Sequence[str]) -> NDArray[np.int64]:
        """The id of each token."""
        return np.array([self._number[name] for name in vocabulary], dtype=np.int64)

    def lengths(self, words: NDArray[np.int64], first: NDArray[np.bool_]) -> NDArray[np.int64]:
        """One each."""
        return np.ones(len(words), dtype=np.int64)

    def ids(
        self, words: NDArray[np.int64], first: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The tokens, and of each its own place."""
        return words.astype(np.int32), np.arange(len(words))
