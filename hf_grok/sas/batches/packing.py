"""Several sentences in one row, each with its arcs inside itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tqdm.auto import tqdm
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.heads import NONE, ROOT, read_heads
from hf_grok.annotation.scheme import scheme_of_rows
from hf_grok.errors import UserError
from hf_grok.sas.batches.encoding import CHUNK, DEPRELS, WORD_HEADS, WORDS, ArcEncoder
from hf_grok.sas.batches.keys import ArcCounts
from hf_grok.sas.batches.row import ArcRow
from hf_grok.sas.batches.rows import ArcRows

Row = Mapping[str, Any]


def pack_rows(
    rows: Iterable[Row],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    *,
    truncate: bool = False,
    progress: bool = True,
    scheme: str | None = None,
    sham: bool = False,
    sham_seed: int = 0,
    add_start: bool = False,
    allow_unknown: bool = False,
) -> ArcRows:
    """Sentences side by side in rows of at most `max_length` tokens: a data set for `ArcCollator`.

    In order: a row takes the next sentence as long as it fits. The words of a row are cut into
    tokens together, as running text, with the tokenizer's special tokens once, at its ends. Heads
    are shifted, so arcs stay inside their sentence, and its sham tree is the one that it has alone.
    Nothing keeps the model from attending from one sentence to another.

    Args:
        rows: with words, heads and deprels, see `ArcEncoder`.
        tokenizer: a fast one.
        max_length: tokens of a row, special tokens included.
        truncate: cut a sentence that is longer than a row, instead of refusing it.
        progress: show a bar.
        scheme: as in `encode_rows`.
        sham: draw a sham tree for each sentence.
        sham_seed: of these draws; 0 or more.
        add_start: put the tokenizer's start token in front of words where it adds none by itself.
        allow_unknown: let words through that become the tokenizer's unknown token.

    Returns:
        The rows; `counts` counts sentences, not rows.

    Raises:
        UserError: as `ArcEncoder`; a sentence longer than a row, by its number; no row at all.
    """
    scheme = scheme_of_rows(rows, scheme)
    sentences = list(rows)
    if not sentences:
        raise UserError("there are no sentences to pack: expected at least one")
    encoder = ArcEncoder(
        tokenizer,
        max_length=max_length,
        sham=sham,
        sham_seed=sham_seed,
        add_start=add_start,
        allow_unknown=allow_unknown,
    )
    alone, counts = _alone(sentences, replace(encoder, max_length=None, sham=False), progress)
    if not truncate:
        _require_fit(alone, max_length)
    groups = groups_in_order([_tokens(row) for row in alone], max_length - _specials(alone[0]))
    packed: list[ArcRow] = []
    with tqdm(total=len(sentences), desc="packing", unit=" rows", disable=not progress) as bar:
        for start in range(0, len(groups), CHUNK):
            chunk = groups[start : start + CHUNK]
            made, found = _packed(sentences, chunk, encoder)
            packed += made
            counts.add(replace(found, sentences=0, unparsed=0))
            bar.update(sum(map(len, chunk)))
    return ArcRows(packed, counts, scheme)


def groups_in_order(lengths: Sequence[int], room: int) -> list[range]:
    """Runs of neighbours whose lengths come to `room` at most; what is longer stands alone."""
    groups, start, used = [], 0, 0
    for at, length in enumerate(lengths):
        if at > start and used + length > room:
            groups.append(range(start, at))
            start, used = at, 0
        used += length
    return [*groups, range(start, len(lengths))]


def joined(sentences: Sequence[Row]) -> dict[str, list[Any]]:
    """One row of words, heads and deprels, the heads shifted to where their sentence stands."""
    row: dict[str, list[Any]] = {WORDS: [], WORD_HEADS: [], DEPRELS: []}
    for sentence in sentences:
        offset, words = len(row[WORDS]), list(sentence[WORDS])
        heads, deprels = read_heads(sentence[WORD_HEADS], "a sentence", words), sentence[DEPRELS]
        if heads is None:
            heads, deprels = [NONE] * len(words), [""] * len(words)
        row[WORDS] += words
        row[WORD_HEADS] += [head + offset if head > ROOT else head for head in heads]
        row[DEPRELS] += list(deprels)
    return row


def _alone(
    sentences: Sequence[Row], encoder: ArcEncoder, progress: bool
) -> tuple[list[ArcRow], ArcCounts]:
    """Each sentence as a row of its own, checked, and how many there are and were unparsed."""
    alone: list[ArcRow] = []
    counts = ArcCounts()
    with tqdm(total=len(sentences), desc="cutting", unit=" rows", disable=not progress) as bar:
        for start in range(0, len(sentences), CHUNK):
            chunk = sentences[start : start + CHUNK]
            made, found = encoder.encode(chunk, range(start, start + len(chunk)))
            alone += made
            counts.add(ArcCounts(sentences=found.sentences, unparsed=found.unparsed))
            bar.update(len(chunk))
    return alone, counts


def _packed(
    sentences: Sequence[Row], groups: Sequence[range], encoder: ArcEncoder
) -> tuple[list[ArcRow], ArcCounts]:
    """A row of each group, or two where its sentences are longer together than one by one.

    A byte-level tokenizer may cut a word otherwise after a space than at the start of a text.
    """
    uncut = replace(encoder, max_length=None, sham=False)
    length = encoder.max_length
    todo, fitting = list(groups), []
    while todo:
        rows, _ = uncut.encode(
            [joined([sentences[at] for at in group]) for group in todo],
            [group[0] for group in todo],
        )
        long = [
            len(group) > 1 and length is not None and len(row.ids) > length
            for group, row in zip(todo, rows, strict=True)
        ]
        fitting += [group for group, too in zip(todo, long, strict=True) if not too]
        split = [group for group, too in zip(todo, long, strict=True) if too]
        todo = [part for group in split for part in (group[:-1], group[-1:])]
    fitting.sort(key=lambda group: group[0])
    return encoder.encode(
        [joined([sentences[at] for at in group]) for group in fitting],
        [group[0] for group in fitting],
    )


def _tokens(row: ArcRow) -> int:
    return int((row.word_of != NONE).sum())


def _specials(row: ArcRow) -> int:
    return len(row.ids) - _tokens(row)


def _require_fit(alone: Sequence[ArcRow], length: int) -> None:
    for number, row in enumerate(alone):
        if len(row.ids) > length:
            raise UserError(
                f"row {number} has {len(row.ids)} tokens, special tokens included, more than "
                f"max_length={length}: raise it, leave the sentence out, or cut it (truncate=True)"
            )
