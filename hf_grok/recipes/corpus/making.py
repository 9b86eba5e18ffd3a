"""A corpus made ready, in a folder: documents held out, tokenizer, packed rows of both parts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from hf_grok.errors import UserError
from hf_grok.recipes.arguments import DataArguments
from hf_grok.recipes.corpus.documents import check_apart, held_out_documents, words_by_document
from hf_grok.recipes.corpus.packing import Packer
from hf_grok.recipes.corpus.prepared import (
    PARTS,
    SENTENCES,
    TOKENIZER,
    TRAIN,
    VALIDATION,
    VOCABULARY,
)
from hf_grok.recipes.corpus.published import TokenIds
from hf_grok.recipes.corpus.sentences import Sentences, read_sentences
from hf_grok.recipes.corpus.store import Stored, write_rows
from hf_grok.recipes.corpus.tokenizers import trained_tokenizer
from hf_grok.recipes.corpus.word_tokens import WordTokens
from hf_grok.sources.source import Source

_TRIED = 100  # sentences on which the tokenizer is tried


@dataclass(frozen=True)
class Division:
    """The sentences of a corpus in two parts that share no document.

    Attributes:
        sources: where the training part comes from, and the other if nothing else is named.
        validation: sources of the validation part alone; empty where documents are held out.
        share: of the words, that are held out.
        seed: of what is drawn.
        tokenizer: of rows that came as token ids, whose tokens stand for words; else None.
    """

    sources: tuple[Source, ...]
    validation: tuple[Source, ...]
    share: float
    seed: int
    tokenizer: PreTrainedTokenizerBase | None

    @cached_property
    def documents(self) -> Mapping[str, int]:
        """Words of each document of `sources`."""
        return words_by_document(self._read(self.sources, False))

    @cached_property
    def held_out(self) -> frozenset[str]:
        """The documents of `sources` that are not trained on.

        Raises:
            UserError: a document of `validation` is among those of `sources`.
        """
        if self.validation:
            others = words_by_document(self._read(self.validation, False))
            check_apart(self.documents, others)
            return frozenset()
        return held_out_documents(self.documents, self.share, self.seed)

    def part(self, name: str, *, heads: bool = True) -> Iterator[Sentences]:
        """The sentences of "train" or "validation", in order."""
        if self.validation:
            yield from self._read(self.validation if name == VALIDATION else self.sources, heads)
            return
        for chunk in self._read(self.sources, heads):
            held_out = np.array([one in self.held_out for one in chunk.documents])
            kept = chunk.where(held_out if name == VALIDATION else ~held_out)
            if len(kept):
                yield kept

    def training_words(self) -> Iterator[list[str]]:
        """The words of each sentence that is trained on."""
        for chunk in self.part(TRAIN, heads=False):
            for sentence in range(len(chunk)):
                yield chunk.words(sentence)

    def _read(self, sources: Sequence[Source], heads: bool) -> Iterator[Sentences]:
        return read_sentences(sources, heads=heads, tokenizer=self.tokenizer)


def make_corpus(
    folder: Path,
    arguments: DataArguments,
    division: Division,
    pretrained: PreTrainedTokenizerBase | None,
    *,
    masked: bool,
) -> dict[str, object]:
    """Fill a folder with all that a run reads of a corpus.

    Args:
        folder: is there, and empty.
        arguments: how the corpus is cut into tokens and rows.
        division: its sentences.
        pretrained: the tokenizer, unless one is to be trained.
        masked: whether a masked language model reads it.

    Returns:
        Counts of documents, sentences, words and tokens, of both parts.

    Raises:
        UserError: a part without a sentence; documents in both parts; words that the tokenizer
            does not keep apart.
    """
    held_out = sorted(division.held_out)  # before anything is made: two parts may share a document
    tokenizer = pretrained
    if tokenizer is None:
        tokenizer = trained_tokenizer(division.training_words(), arguments, masked=masked)
    tokenizer.save_pretrained(folder / TOKENIZER)
    tokens = _word_tokens(division, tokenizer, masked=masked)
    counts = {}
    for name in PARTS:
        packer = Packer(tokens, arguments.row_tokens)
        rows = _pack(folder, division.part(name), name, packer)
        counts[name] = _counted(rows, packer, tokenizer.unk_token_id)
    (folder / VOCABULARY).write_text(json.dumps(tokens.words), encoding="utf-8")
    return {
        **counts,
        "documents": len(division.documents),
        "held_out": held_out,
        "vocabulary": len(tokenizer),
        **({"published": True} if division.tokenizer is not None else {}),
    }


def _word_tokens(
    division: Division, tokenizer: PreTrainedTokenizerBase, *, masked: bool
) -> WordTokens | TokenIds:
    """What turns words into tokens, with a start token in front where a causal model has one."""
    tokens: WordTokens | TokenIds
    if division.tokenizer is not None:
        tokens = TokenIds(tokenizer)
    else:
        tokens = WordTokens(tokenizer, list(islice(division.training_words(), _TRIED)))
    if not masked and not tokens.before and tokenizer.bos_token_id is not None:
        tokens.before = [int(tokenizer.bos_token_id)]
    return tokens


def _pack(folder: Path, sentences: Iterator[Sentences], name: str, packer: Packer) -> Stored:
    """The rows of a part, written; and as they pass, the sentences of what is held out.

    Raises:
        UserError: there are none.
    """
    if name == VALIDATION:
        sentences = _kept(sentences, folder / SENTENCES)
    rows = write_rows(folder / name, packer.pack(sentences))
    if not len(rows):
        raise UserError(f"the {name} part of the corpus has no sentence")
    return rows


def _counted(rows: Stored, packer: Packer, unknown: int | None) -> dict[str, Any]:
    """What became of the sentences of a part; `unknown` is the id of words not known."""
    missed = 0 if unknown is None else np.count_nonzero(rows.column("ids") == unknown)
    return {
        "rows": len(rows),
        "words": int(rows.words.sum()),
        "tokens": int(rows.tokens.sum()),
        "left_out": packer.left_out,
        "words_cut": packer.words_cut,
        "unknown": int(missed),
        "arcs": asdict(packer.counts),
    }


def _kept(chunks: Iterable[Sentences], path: Path) -> Iterator[Sentences]:
    """The chunks, their rows written to a file as they pass."""
    writer = None
    try:
        for chunk in chunks:
            table = chunk.table
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema)
            writer.write_table(table.select(writer.schema.names).cast(writer.schema))
            yield chunk
    finally:
        if writer is not None:
            writer.close()
