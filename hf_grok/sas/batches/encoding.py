"""From rows as data sets have them to rows that a batch is made of; once, or at every step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from tqdm.auto import tqdm
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.alignment import encode_words
from hf_grok.annotation.heads import (
    NONE,
    ROOT,
    check_relations,
    head_places,
    relation_id,
    word_heads,
)
from hf_grok.annotation.scheme import scheme_of_rows
from hf_grok.annotation.sham import word_keys
from hf_grok.errors import UserError
from hf_grok.sas.batches.keys import WORD_OF, ArcCounts
from hf_grok.sas.batches.published import (
    FIRST_HEADS,
    PUBLISHED_HEADS,
    PUBLISHED_RELATIONS,
    ROOT_RELATIONS,
    row_from_published,
    special_ids,
)
from hf_grok.sas.batches.row import (
    INPUT_IDS,
    ArcRow,
    add_arcs,
    is_unparsed,
    row_from_columns,
    truncated,
    with_sham,
)
from hf_grok.sas.batches.rows import ArcRows

WORDS, WORD_HEADS, DEPRELS = WORD_LAYOUT = ("words", "heads", "deprels")
PUBLISHED_LAYOUT = (INPUT_IDS, PUBLISHED_HEADS, PUBLISHED_RELATIONS)
ENCODED_LAYOUT = (WORD_OF,)
# Rows whose words are cut into tokens together: each chunk is one padded tensor.
CHUNK = 1000


@dataclass(frozen=True)
class ArcEncoder:
    """Makes `ArcRow`s of rows in any of three layouts, told apart by their columns.

    - words, heads, deprels: heads from 1 with 0 for the root, as in CoNLL-U and in every data set
      of `hf_grok.datasets_scripts`; -1 for unparsed words. A row whose heads are None, missing
      entries, or -1 throughout is unparsed: the model sees it, no arc is counted.
    - input_ids, heads, relns: see `hf_grok.sas.batches.published`.
    - input_ids, arc_word_of, arc_heads, arc_relations: what `encode_rows` gives; nothing is left
      to do but to cut.

    Args:
        tokenizer: a fast one.
        max_length: tokens of a row, special tokens included; None does not cut. Arcs whose head or
            dependent is cut are left out and counted.
        sham: draw a sham tree for each sentence; those that have none are counted.
        sham_seed: of these draws; 0 or more.
        add_start: put the tokenizer's start token in front of words where it adds none by itself.
        allow_unknown: let words through that become the tokenizer's unknown token.
        root_relations: of the published layout: the relations by which a root hangs on itself or
            on a special token.
        relation_names: of the published layout: the names of numbered relations.
        first_head: of the published layout: the position of the token that `heads[0]` belongs to, 0
            or 1; None tells it by each row, and refuses rows that fit both.

    Raises:
        UserError: a max_length or sham_seed out of range.
    """

    tokenizer: PreTrainedTokenizerBase
    max_length: int | None = None
    sham: bool = False
    sham_seed: int = 0
    add_start: bool = False
    allow_unknown: bool = False
    root_relations: tuple[str | int, ...] = ROOT_RELATIONS
    relation_names: tuple[str, ...] | None = None
    first_head: int | None = None

    def __post_init__(self) -> None:
        if self.max_length is not None and self.max_length < 1:
            raise UserError(f"max_length={self.max_length}: expected at least 1, or None")
        if self.sham_seed < 0:
            raise UserError(f"sham_seed={self.sham_seed}: expected 0 or more")
        if self.first_head not in (None, *FIRST_HEADS):
            raise UserError(f"first_head={self.first_head}: expected 0, 1 or None")

    @cached_property
    def _special(self) -> frozenset[int]:
        return special_ids(self.tokenizer)

    def encode(
        self, rows: Sequence[Mapping[str, Any]], numbers: Sequence[int]
    ) -> tuple[list[ArcRow], ArcCounts]:
        """The rows, and what became of them.

        Args:
            rows: all in one layout.
            numbers: the number by which an error names each row.

        Raises:
            UserError: columns that are no layout, or heads that are no tree; names the row.
        """
        counts = ArcCounts(sentences=len(rows))
        layout = _layout(rows)
        if layout == WORD_LAYOUT:
            return self._words(rows, numbers, counts), counts
        one = self._published if layout == PUBLISHED_LAYOUT else self._encoded
        return [one(*each, counts) for each in zip(rows, numbers, strict=True)], counts

    def _encoded(self, row: Mapping[str, Any], number: int, counts: ArcCounts) -> ArcRow:
        arcs = row_from_columns(row, f"row {number}")
        if self.sham and arcs.sham is None:
            raise UserError(
                f"row {number} is encoded without a sham tree: encode it with "
                "encode_rows(..., sham=True), which draws it"
            )
        return self._finished(arcs, None, number, counts)

    def _published(self, row: Mapping[str, Any], number: int, counts: ArcCounts) -> ArcRow:
        arcs, roots = row_from_published(
            row,
            f"row {number}",
            special=self._special,
            root_relations=self.root_relations,
            relation_names=self.relation_names,
            first_head=self.first_head,
        )
        counts.roots += roots
        return self._finished(arcs, arcs.ids, number, counts)

    def _words(
        self, rows: Sequence[Mapping[str, Any]], numbers: Sequence[int], counts: ArcCounts
    ) -> list[ArcRow]:
        words = [list(row[WORDS]) for row in rows]
        tokens = encode_words(
            words,
            self.tokenizer,
            add_start=self.add_start,
            allow_unknown=self.allow_unknown,
            row_numbers=numbers,
        )
        made = []
        for at, (row, number) in enumerate(zip(rows, numbers, strict=True)):
            heads, relations = word_arcs(row, f"row {number}", counts)
            length = int(tokens.lengths[at])
            ids, word_of = tokens.ids[at, :length].numpy(), tokens.word_of[at, :length].numpy()
            arcs = ArcRow(ids.copy(), word_of.copy(), heads, relations)
            made.append(self._finished(arcs, word_keys(words[at]), number, counts))
        return made

    def _finished(
        self, arcs: ArcRow, keys: np.ndarray | None, number: int, counts: ArcCounts
    ) -> ArcRow:
        """Counted, cut, and with a sham tree where one is wanted and not there yet."""
        counts.unparsed += is_unparsed(arcs)
        shorter, cut = truncated(arcs, self.max_length, f"row {number}")
        counts.cut += cut
        if self.sham and keys is not None:
            shorter = with_sham(shorter, keys, self.sham_seed)
        add_arcs(counts, shorter, sham=self.sham)
        return shorter


def word_arcs(
    row: Mapping[str, Any], where: str, counts: ArcCounts
) -> tuple[np.ndarray, np.ndarray]:
    """Heads from 0 and numbers of relations, from words, heads and deprels; adds the roots.

    Raises:
        UserError: heads that are no tree over the words, or not one relation for each.
    """
    words, heads, deprels = row[WORDS], row[WORD_HEADS], row[DEPRELS]
    listed = word_heads(heads, words, where)
    if listed is None:
        nothing = np.full(len(words), NONE)
        return nothing, nothing.copy()
    check_relations(deprels, words, where)
    counts.roots += listed.count(ROOT)
    numbers = [
        relation_id(name) if head > ROOT else NONE
        for name, head in zip(deprels, listed, strict=True)
    ]
    return np.array(head_places(listed)), np.array(numbers)


def encode_rows(
    rows: Iterable[Mapping[str, Any]],
    tokenizer: PreTrainedTokenizerBase,
    *,
    progress: bool = True,
    scheme: str | None = None,
    max_length: int | None = None,
    sham: bool = False,
    sham_seed: int = 0,
    add_start: bool = False,
    allow_unknown: bool = False,
    root_relations: tuple[str | int, ...] = ROOT_RELATIONS,
    relation_names: tuple[str, ...] | None = None,
    first_head: int | None = None,
) -> ArcRows:
    """Every row cut into tokens once, so that no step has to: a data set for `ArcCollator`.

    Args:
        rows: a `datasets.Dataset`, a `Treebank` or a list of dicts, in any layout of `ArcEncoder`.
        tokenizer: a fast one.
        progress: show a bar.
        scheme: annotation scheme of the heads, such as "ud"; None: what the rows say, as a
            `Treebank` does whose file has its annotation.json. `SASTrainer` records it.
        max_length: tokens of a row, special tokens included; None does not cut.
        sham: draw a sham tree for each sentence.
        sham_seed: of these draws; 0 or more.
        add_start: put the tokenizer's start token in front of words where it adds none by itself.
        allow_unknown: let words through that become the tokenizer's unknown token.
        root_relations: of the published layout: relations by which a root hangs on itself or on a
            special token.
        relation_names: of the published layout: the names of numbered relations.
        first_head: of the published layout: the position of the token that `heads[0]` belongs to, 0
            or 1; None tells it by each row.

    Returns:
        The rows in their order; `counts` says what became of them ("3 of 1,000 sentences
        unparsed; ...").

    Raises:
        UserError: as `ArcEncoder`; no row at all; a scheme that is no name, or not the rows'.
    """
    scheme = scheme_of_rows(rows, scheme)
    encoder = ArcEncoder(
        tokenizer,
        max_length=max_length,
        sham=sham,
        sham_seed=sham_seed,
        add_start=add_start,
        allow_unknown=allow_unknown,
        root_relations=root_relations,
        relation_names=relation_names,
        first_head=first_head,
    )
    total = ArcCounts()
    made: list[ArcRow] = []
    with tqdm(rows, desc="encoding", unit=" rows", disable=not progress) as bar:
        for chunk in _chunks(bar):
            arcs, counts = encoder.encode(chunk, range(len(made), len(made) + len(chunk)))
            made += arcs
            total.add(counts)
    if not made:
        raise UserError("there are no rows to encode: expected at least one")
    return ArcRows(made, total, scheme)


def _chunks(rows: Iterable[Mapping[str, Any]]) -> Iterable[list[Mapping[str, Any]]]:
    chunk: list[Mapping[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _layout(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The columns by which all the rows are told to be in one layout."""
    for layout in (ENCODED_LAYOUT, PUBLISHED_LAYOUT, WORD_LAYOUT):
        if all(row.keys() >= set(layout) for row in rows):
            return layout
    raise UserError(
        f"a row has the columns {', '.join(sorted(rows[0])) or '(none)'}: expected words, heads "
        "and deprels (hf_grok.datasets_scripts.treebank_rows makes them of tokens, head and "
        "deprel); or input_ids, heads and relns; or rows of hf_grok.sas.encode_rows; and all "
        "rows alike. Trainer drops columns that the model's forward does not take: set "
        "remove_unused_columns=False (SASTrainer keeps them)"
    )
