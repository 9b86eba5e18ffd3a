"""Which documents are held out: whole ones, drawn by their names alone."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

from hf_grok.errors import UserError
from hf_grok.recipes.corpus.sentences import Sentences


def words_by_document(chunks: Iterable[Sentences]) -> Counter[str]:
    """Words of each document."""
    words: Counter[str] = Counter()
    for chunk in chunks:
        for document, length in zip(chunk.documents, chunk.lengths().tolist(), strict=True):
            words[document] += length
    return words


def held_out_documents(words: Mapping[str, int], share: float, seed: int) -> frozenset[str]:
    """Documents that together have at most `share` of the words; the shortest if all have more.

    Documents come in the order of a hash of (seed, name), and one that would pass the share is left
    for training: several are held out, and which they are does not follow from where they stand.

    Args:
        words: of each document.
        share: in (0, 1).
        seed: of the hash.

    Raises:
        UserError: fewer than two documents; a share out of its range.
    """
    if not 0 < share < 1:
        raise UserError(f"validation_share={share}: expected more than 0 and less than 1")
    if len(words) < 2:
        raise UserError(
            f"the corpus is one document ({next(iter(words), 'none')}), of which no other can be "
            "held out: give a column document, several files, or --validation_data"
        )
    room = share * sum(words.values())
    order = sorted(words, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
    held_out: list[str] = []
    for name in order:
        if words[name] <= room:
            held_out.append(name)
            room -= words[name]
    return frozenset(held_out or [min(order, key=lambda name: words[name])])


def check_apart(training: Iterable[str], validation: Iterable[str]) -> None:
    """No document is in both.

    Raises:
        UserError: one is; names some.
    """
    both = sorted(set(training) & set(validation))
    if both:
        some = ", ".join(both[:3]) + (", ..." if len(both) > 3 else "")
        raise UserError(
            f"{len(both):,} documents are in --data and in --validation_data ({some}): a loss on "
            "sentences that were trained on is no validation. Leave them out of one of the two"
        )
