"""The arcs of a sentence as a batch carries them, and the checks and counts of what comes in."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hf_grok.errors import UserError

# The keys under which a batch carries its arcs, beside input_ids, attention_mask and labels:
# [batch, pieces], 0-based word of each piece within its row; -1 for special tokens and filling.
WORD_OF = "arc_word_of"
# [batch, words], 0-based word that is the head of each word, in the same row; -1 where there is no
# arc to count: the root, an unparsed word, a word or head that was cut off, filling.
HEADS = "arc_heads"
# [batch, words], `relation_id` of each arc's relation; -1 where there is no arc.
RELATIONS = "arc_relations"
# [batch, words], as HEADS, of a random tree over the same words; only where it was asked for. -2
# (`LEFT_OUT`) at the words of a sentence that has no other tree with the same offsets.
SHAM_HEADS = "arc_sham_heads"
# [batch, words], as RELATIONS, of the sham arcs: an arc of the gold tree lends them its own.
SHAM_RELATIONS = "arc_sham_relations"
ANNOTATION = (WORD_OF, HEADS, RELATIONS, SHAM_HEADS, SHAM_RELATIONS)

NONE = -1
LEFT_OUT = -2
ROOT = 0  # in the 1-based numbering of CoNLL-U


def relation_id(name: str) -> int:
    """crc32 of the name: one number for a relation in every data set, order and process."""
    return zlib.crc32(name.encode())


@dataclass
class ArcCounts:
    """What became of the sentences that were read; a sum, so counts of parts add up.

    Attributes:
        sentences: rows read.
        unparsed: rows among them of two words or more without a single arc, which take no part in
            any penalty.
        arcs: arcs that are left to count.
        cut: arcs left out because truncation took their head or their dependent.
        roots: words whose head is the root, which is no arc. The published layout has no mark for
            roots (-1 is whatever has no head), so there only those that are named are counted.
        without_sham: sentences with arcs but without a sham tree, where sham trees were asked for:
            there is no other tree with the same offsets, or truncation has cut it.
        arcs_without_sham: their arcs, which take no part in a sham or contrast arm.
    """

    sentences: int = 0
    unparsed: int = 0
    arcs: int = 0
    cut: int = 0
    roots: int = 0
    without_sham: int = 0
    arcs_without_sham: int = 0

    def add(self, other: ArcCounts) -> None:
        """Add the counts of other sentences."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    def __str__(self) -> str:
        said = (
            f"{self.unparsed:,} of {self.sentences:,} sentences unparsed; {self.arcs:,} arcs, "
            f"{self.cut:,} more cut off by truncation; {self.roots:,} roots, which are no arcs"
        )
        if self.without_sham:
            said += (
                f"; {self.without_sham:,} sentences have no sham tree, so that "
                f"{self.arcs_without_sham:,} arcs take no part in a sham or contrast arm"
            )
        return said


def is_parsed(heads: Sequence[int] | None) -> bool:
    """Whether any word has a head or is a root: not so for None, no heads, or -1 throughout."""
    return heads is not None and any(head != NONE for head in heads)


def check_word_heads(words: Sequence[str], heads: Sequence[int], where: str) -> None:
    """Heads as in CoNLL-U, from 1, with 0 for the root and -1 for unparsed words.

    Raises:
        UserError: not one head for each word; a head outside the sentence, or the word itself;
            heads that go in a circle. It starts with `where`.
    """
    if len(heads) != len(words):
        raise UserError(
            f"{where}: {len(words)} words and {len(heads)} heads: expected one for each"
        )
    for number, head in enumerate(heads, start=1):
        if not NONE <= head <= len(words) or head == number:
            raise UserError(
                f"{where}: word {number} ({words[number - 1]!r}) has head {head}: expected the "
                f"number of another word (1 to {len(words)}), 0 for the root or -1 for unparsed"
            )
    check_no_cycle([head - 1 if head > ROOT else NONE for head in heads], where, first=1)


def check_no_cycle(heads: Sequence[int], where: str, *, first: int = 0) -> None:
    """Every way from head to head ends at a word without one.

    Args:
        heads: from 0, in range; -1 for none.
        where: what the message starts with.
        first: the number of the first word in messages.

    Raises:
        UserError: heads that go in a circle; names the words.
    """
    ends = [False] * len(heads)
    for word in range(len(heads)):
        path: list[int] = []
        while word != NONE and not ends[word]:
            # Marked as it is walked: meeting a marked word is either the way of another word,
            # which ended, or this very way, which did not.
            ends[word] = True
            path.append(word)
            word = heads[word]
        if word != NONE and word in path:
            circle = [*path[path.index(word) :], word]
            raise UserError(
                f"{where}: heads go in a circle, {' -> '.join(str(at + first) for at in circle)}: "
                "expected a tree; mend the heads, or set them to -1 if the sentence has no parse"
            )
