"""Unlabelled attachment score of heads that are given, with the fixed offsets of the probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from hf_grok.annotation.rows import column
from hf_grok.annotation.sentences import Sentence, dependency_sentences
from hf_grok.errors import UserError
from hf_grok.evaluate_metrics.checks import (
    are_rows,
    require_pairs,
    require_rows,
    sequence,
    texts,
    whole_numbers,
)
from hf_grok.measurement.tally import Tally
from hf_grok.probes.uas.gold import NO_HEAD, Arcs, Gold
from hf_grok.probes.uas.offsets import offset_hits, offset_labels
from hf_grok.probes.uas.scores import is_punctuation

UNKNOWN = "_"  # as CoNLL-U writes a relation that is not there
BEYOND = -1  # of a sentence's last word; no head


def checked(predictions: Any, references: Any) -> tuple[list[Any], list[Any]]:
    """Heads of each sentence, and rows of gold heads and deprels (empty where unknown).

    Args:
        predictions: for each sentence the 1-based head of each word, 0 for the root.
        references: likewise, or rows with a column heads and, where known, deprels.

    Raises:
        UserError: a head is no whole number or none of its sentence, a gold sentence has no root,
            or the numbers of words differ; says where.
    """
    listed = require_pairs(predictions, references)
    rows = _gold_rows(references)
    _sentences(rows)
    heads = [whole_numbers(one, f"predictions[{n}]") for n, one in enumerate(listed)]
    for number, (found, row) in enumerate(zip(heads, rows, strict=True)):
        _require_heads(number, found, len(row["heads"]))
    return heads, rows


def uas_scores(
    predictions: Sequence[Sequence[int]], references: Sequence[Mapping[str, Any]]
) -> dict[str, float]:
    """uas = words with the right head / words, over sentences of two words or more.

    Args:
        predictions: for each sentence the 1-based head of each word, 0 for the root.
        references: rows with heads and deprels, as `checked` returns them.

    Returns:
        `uas`, all words, a root being right where 0 is predicted; `uas_without_punct`, arcs that
        are not punctuation (a root is no arc), where relations are known; for each of them the
        best fixed offset, and `uas_offset_-3` to `uas_offset_+3`; `arcs`, `roots` and `skipped`,
        sentences of one word, which have one tree.

    Raises:
        UserError: no sentence has two words, or the relations of some sentences only are known.

    Source: Chen et al. 2024 (arXiv 2309.07311), as `hf_grok.probes.AttentionUAS`.
    """
    chosen = [number for number, heads in enumerate(predictions) if len(heads) > 1]
    if not chosen:
        raise UserError("no sentence has two words: there is no head to find")
    known = _relations_are_known(references)
    gold = Gold.of(_sentences([references[number] for number in chosen]), chosen)
    arcs = gold.arcs(range(len(chosen)), causal=False)
    heads = _padded([predictions[number] for number in chosen])
    found = heads[arcs.sentence, arcs.dependent] == arcs.head + 1
    roots = int(gold.roots.sum())
    roots_found = int(((gold.heads == NO_HEAD) & (heads == 0)).sum())
    tally = _all_words(found, arcs, roots, roots_found)
    if known:
        tally += _without_punctuation(found, arcs, gold.names)
    counts = {"arcs": len(arcs), "roots": roots, "skipped": len(predictions) - len(chosen)}
    return tally.ratios() | {name: float(count) for name, count in counts.items()}


def _all_words(found: Bool[Tensor, " arc"], arcs: Arcs, roots: int, roots_found: int) -> Tally:
    """An offset never finds a root."""
    words = len(arcs) + roots
    hits = offset_hits(arcs.offset, causal=False).sum(0)
    tally = Tally()
    tally.add("uas", int(found.sum()) + roots_found, words)
    tally.add("uas_single_offset", int(hits.max()), words)
    for label, count in zip(offset_labels(len(hits)), hits.tolist(), strict=True):
        tally.add(f"uas_offset_{label}", count, words)
    return tally


def _without_punctuation(
    found: Bool[Tensor, " arc"], arcs: Arcs, relations: Sequence[str]
) -> Tally:
    plain = torch.tensor([not is_punctuation(name) for name in relations], dtype=torch.bool)
    kept = plain[arcs.relation]
    hits = offset_hits(arcs.offset[kept], causal=False).sum(0)
    tally = Tally()
    tally.add("uas_without_punct", int(found[kept].sum()), int(kept.sum()))
    tally.add("uas_single_offset_without_punct", int(hits.max()), int(kept.sum()))
    return tally


def _padded(heads: Sequence[Sequence[int]]) -> Int[Tensor, "sentence word"]:
    rows = [torch.tensor(one) for one in heads]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=BEYOND)


def _gold_rows(references: Any) -> list[dict[str, Any]]:
    if not are_rows(references):
        return [
            {"heads": whole_numbers(heads, f"references[{number}]"), "deprels": []}
            for number, heads in enumerate(sequence(references, "references"))
        ]
    rows = require_rows(references)
    present = getattr(rows, "column_names", None) or next(iter(rows))
    heads = column(rows, "heads")
    deprels = column(rows, "deprels") if "deprels" in present else [[] for _ in heads]
    return [
        {
            "heads": whole_numbers(of_one, f"references[{number}]['heads']"),
            "deprels": texts(relations, f"references[{number}]['deprels']"),
        }
        for number, (of_one, relations) in enumerate(zip(heads, deprels, strict=True))
    ]


def _sentences(rows: Sequence[Mapping[str, Any]]) -> list[Sentence]:
    """The gold sentences, checked as the probe checks them; their words are not needed."""
    unnamed = [
        {
            "words": [str(place) for place, _ in enumerate(row["heads"], start=1)],
            "heads": row["heads"],
            "deprels": row["deprels"] or [UNKNOWN] * len(row["heads"]),
        }
        for row in rows
    ]
    try:
        return dependency_sentences(unnamed)
    except UserError as error:
        raise UserError(f"references, {error}") from None


def _require_heads(number: int, heads: Sequence[int], words: int) -> None:
    if len(heads) != words:
        raise UserError(
            f"predictions[{number}] has {len(heads)} heads and references[{number}] {words}: "
            "expected one for each word"
        )
    for place, head in enumerate(heads):
        if not 0 <= head <= words:
            raise UserError(
                f"predictions[{number}][{place}] is {head}: expected a word of the sentence, 1 to "
                f"{words}, or 0 for the root"
            )


def _relations_are_known(references: Sequence[Mapping[str, Any]]) -> bool:
    known = [bool(row["deprels"]) for row in references]
    if any(known) and not all(known):
        raise UserError(
            f"references[{known.index(False)}] has no deprels, and references[{known.index(True)}] "
            "has: expected them for all sentences, or for none"
        )
    return all(known)
