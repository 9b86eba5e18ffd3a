"""The keys under which a batch carries its arcs, and the counts of the sentences that come in."""

from __future__ import annotations

from dataclasses import asdict, dataclass

# The keys under which a batch carries its arcs, beside input_ids, attention_mask and labels:
# [batch, tokens], 0-based word of each token within its row; -1 for special tokens and padding.
WORD_OF = "arc_word_of"
# [batch, words], 0-based word that is the head of each word, in the same row; -1 where there is no
# arc to count: the root, an unparsed word, a word or head that was cut off, padding.
HEADS = "arc_heads"
# [batch, words], `annotation.heads.relation_id` of each arc's relation; -1 where there is no arc.
RELATIONS = "arc_relations"
# [batch, words], as HEADS, of a random tree over the same words; only where it was asked for. -2
# (`sham.LEFT_OUT`) at the words of a sentence that has no other tree with the same offsets.
SHAM_HEADS = "arc_sham_heads"
# [batch, words], as RELATIONS, of the sham arcs: an arc of the gold tree lends them its own.
SHAM_RELATIONS = "arc_sham_relations"
SHAM = (SHAM_HEADS, SHAM_RELATIONS)
ANNOTATION = (WORD_OF, HEADS, RELATIONS, *SHAM)


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
