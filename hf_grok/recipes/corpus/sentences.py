"""Chunks of sentences as flat arrays, checked: words by number, heads, relations, documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.heads import NONE, ROOT, check_relations, relation_id, word_heads
from hf_grok.errors import UserError
from hf_grok.recipes.corpus.published import is_published, published_tables
from hf_grok.recipes.corpus.tables import COLUMNS, tables
from hf_grok.sources.source import Source


@dataclass(frozen=True)
class Sentences:
    """Some sentences in order; word w of sentence s stands at starts[s] + w.

    Attributes:
        starts: [sentences + 1], the last is the number of words.
        forms: [words], index into `vocabulary`.
        vocabulary: distinct words of these sentences.
        heads: [words], as in CoNLL-U; -1 for words without a parse. None where heads are not read.
        relations: [words], `relation_id` of each, -1 where there is no arc; None likewise.
        documents: of each sentence.
        source: index of the source that they come from.
        table: the rows that they were read from.
    """

    starts: NDArray[np.int64]
    forms: NDArray[np.int64]
    vocabulary: list[str]
    heads: NDArray[np.int64] | None
    relations: NDArray[np.int64] | None
    documents: list[str]
    source: int
    table: pa.Table

    def __len__(self) -> int:
        return len(self.documents)

    def lengths(self) -> NDArray[np.int64]:
        """Words of each sentence."""
        return np.diff(self.starts)

    def words(self, sentence: int) -> list[str]:
        """The words of one sentence."""
        forms = self.forms[self.starts[sentence] : self.starts[sentence + 1]]
        return [self.vocabulary[form] for form in forms]

    def where(self, kept: NDArray[np.bool_]) -> Sentences:
        """Those sentences of which `kept` [sentences] is true."""
        lengths = self.lengths()
        words = np.repeat(kept, lengths)
        return replace(
            self,
            starts=np.append(0, np.cumsum(lengths[kept])),
            forms=self.forms[words],
            heads=None if self.heads is None else self.heads[words],
            relations=None if self.relations is None else self.relations[words],
            documents=[one for one, own in zip(self.documents, kept, strict=True) if own],
            table=self.table.filter(pa.array(kept)),
        )


def read_sentences(
    sources: Sequence[Source], *, heads: bool, tokenizer: PreTrainedTokenizerBase | None = None
) -> Iterator[Sentences]:
    """The sentences of all sources in order, a chunk at a time.

    Args:
        sources: to read.
        heads: read and check heads and relations, where a source has them.
        tokenizer: of sources in the published layout, whose tokens stand for words.

    Raises:
        UserError: a column is missing; words that are no lists of text, or none in a sentence;
            what `hf_grok.annotation.heads` refuses; names the file and the row.
    """
    for number, source in enumerate(sources):
        row = 0
        last = None
        for name, table in _tables(source, tokenizer, heads=heads):
            row = 0 if name != last else row
            last = name
            yield _sentences(table, name, row, number, heads=heads)
            row += table.num_rows


def has_heads(source: Source) -> bool:
    """Whether the rows of a source have heads and relations."""
    _, table = next(iter(tables(source)))
    return {"heads", "deprels"} <= set(table.column_names) or is_published(source)


def _tables(
    source: Source, tokenizer: PreTrainedTokenizerBase | None, *, heads: bool
) -> Iterator[tuple[str, pa.Table]]:
    if tokenizer is not None:
        return published_tables(source, tokenizer, heads=heads)
    return tables(source, COLUMNS if heads else ("words", "document"))


def _sentences(table: pa.Table, name: str, row: int, source: int, *, heads: bool) -> Sentences:
    table = table.combine_chunks()
    if "words" not in table.column_names:
        raise UserError(
            f"{name} has no column words (it has {', '.join(table.column_names) or 'none'}): "
            "expected words, heads and deprels, as hf-grok data parse writes them"
        )
    words = _lists(table["words"])
    where = f"{name}, row"
    if words is None or not pa.types.is_string(words.type.value_type) or words.values.null_count:
        raise UserError(f"{name}: column words is no list of words in each row")
    starts = np.asarray(words.offsets, dtype=np.int64)
    values = words.values.slice(starts[0], starts[-1] - starts[0]).dictionary_encode()
    starts = starts - starts[0]
    empty = np.flatnonzero(np.diff(starts) == 0)
    if len(empty):
        raise UserError(f"{where} {row + empty[0]} has no words: leave it out")
    found = Sentences(
        starts,
        np.asarray(values.indices, dtype=np.int64),
        values.dictionary.to_pylist(),
        None,
        None,
        _documents(table, name),
        source,
        table,
    )
    if not heads or not {"heads", "deprels"} <= set(table.column_names):
        return found
    return _with_arcs(found, table, where, row)


def _documents(table: pa.Table, name: str) -> list[str]:
    if "document" not in table.column_names:
        return [name] * table.num_rows
    found = pc.cast(table["document"], pa.string()).to_pylist()
    return [name if each is None else each for each in found]


def _lists(column: pa.ChunkedArray) -> pa.ListArray | None:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0)
    if pa.types.is_large_list(array.type):
        array = array.cast(pa.list_(array.type.value_type))
    if not pa.types.is_list(array.type):
        return None
    if pa.types.is_large_string(array.type.value_type):
        array = array.cast(pa.list_(pa.string()))
    return None if array.null_count else array


def _with_arcs(found: Sentences, table: pa.Table, where: str, row: int) -> Sentences:
    heads = _plain_heads(found, table)
    if heads is None or not trees_alone(found.starts, heads):
        heads = _checked_heads(found, table, where, row)
    relations = _relations(found, table, where, row)
    relations = np.where(heads > ROOT, relations, NONE)
    return replace(found, heads=heads, relations=relations)


def _plain_heads(found: Sentences, table: pa.Table) -> NDArray[np.int64] | None:
    """Heads as one array where each is a whole number, one for each word; None otherwise."""
    heads = _lists(table["heads"])
    if heads is None or not pa.types.is_integer(heads.type.value_type):
        return None
    offsets = np.asarray(heads.offsets, dtype=np.int64)
    flat = heads.values.slice(offsets[0], offsets[-1] - offsets[0])
    if flat.null_count or not np.array_equal(offsets - offsets[0], found.starts):
        return None
    return np.asarray(flat, dtype=np.int64)


def trees_alone(starts: NDArray[np.int64], heads: NDArray[np.int64]) -> bool:
    """Whether all the sentences are such as `check_heads` lets pass.

    Every head is another word, 0 or -1, and every way from head to head ends: after as many steps
    as a sentence has words, doubled up, no word is still on its way.

    Args:
        starts: [sentences + 1].
        heads: [words], as in CoNLL-U.
    """
    lengths = np.diff(starts)
    first, words = np.repeat(starts[:-1], lengths), np.repeat(lengths, lengths)
    own = np.arange(len(heads)) - first + 1
    if ((heads < NONE) | (heads > words) | (heads == own)).any():
        return False
    ends = len(heads)
    ahead = np.append(np.where(heads > ROOT, first + heads - 1, ends), ends)
    for _ in range(int(lengths.max(initial=1)).bit_length()):
        ahead = ahead[ahead]
    return bool((ahead == ends).all())


def _checked_heads(found: Sentences, table: pa.Table, where: str, row: int) -> NDArray[np.int64]:
    """The heads sentence by sentence, as `word_heads` reads them; refuses what it refuses."""
    read: list[int] = []
    for at, given in enumerate(table["heads"].to_pylist()):
        words = found.words(at)
        heads = word_heads(given, words, f"{where} {row + at}")
        read += [NONE] * len(words) if heads is None else heads
    return np.array(read, dtype=np.int64)


def _relations(found: Sentences, table: pa.Table, where: str, row: int) -> NDArray[np.int64]:
    deprels = _lists(table["deprels"])
    plain = deprels is not None and pa.types.is_string(deprels.type.value_type)
    if deprels is not None and plain:
        offsets = np.asarray(deprels.offsets, dtype=np.int64)
        flat = deprels.values.slice(offsets[0], offsets[-1] - offsets[0])
        if not flat.null_count and np.array_equal(offsets - offsets[0], found.starts):
            values = flat.dictionary_encode()
            ids = [relation_id(name) for name in values.dictionary.to_pylist()]
            return np.array(ids, dtype=np.int64)[np.asarray(values.indices, dtype=np.int64)]
    read: list[int] = []
    for at, (given, heads) in enumerate(
        zip(table["deprels"].to_pylist(), table["heads"].to_pylist(), strict=True)
    ):
        words = found.words(at)
        if word_heads(heads, words, f"{where} {row + at}") is None:
            read += [NONE] * len(words)
            continue
        check_relations(given, words, f"{where} {row + at}")
        read += [relation_id(str(name)) for name in given]
    return np.array(read, dtype=np.int64)
