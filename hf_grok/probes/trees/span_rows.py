"""Which tokens a model is run on so that it sees the spans of a sentence alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from hf_grok.annotation.alignment import NO_WORD, EncodedWords, tokens_to_words
from hf_grok.errors import UserError
from hf_grok.measurement.length_batches import token_budget

# Tokens a batch on a CPU. Rows are short and all of about one length, so small batches need no
# padding, and what the feed-forward layers hold of one stays in a core's cache.
CPU_TOKENS = 512


@dataclass(frozen=True)
class SpanSentences:
    """A sentence is `before` special tokens, the subwords of its words, `after` special tokens.

    Attributes:
        ids: token ids; padding on the right.
        lengths: tokens of each sentence, special tokens included.
        words: words of each sentence.
        edges: edges[s, w] = the token at which word w starts, and one past the last word's end;
            beyond that, the same again.
        before: special tokens in front: the start token.
        after: special tokens behind: the end token, where there is one.
    """

    ids: Int[Tensor, "sentence length"]
    lengths: Int[Tensor, " sentence"]
    words: Int[Tensor, " sentence"]
    edges: Int[Tensor, "sentence edge"]
    before: int
    after: int

    @property
    def ends(self) -> Int[Tensor, " sentence"]:
        """The token after each sentence's last subword."""
        return self.edges[:, -1]

    def select(self, indices: Int[Tensor, " chosen"], device: torch.device) -> SpanSentences:
        """The sentences at `indices`, on a device, without the padding that only others need."""
        length, words = int(self.lengths[indices].max()), int(self.words[indices].max())
        return SpanSentences(
            self.ids[indices, :length].to(device),
            self.lengths[indices].to(device),
            self.words[indices].to(device),
            self.edges[indices, : words + 1].to(device),
            self.before,
            self.after,
        )

    def without_end(self) -> SpanSentences:
        """The sentences as a causal model sees them from within: nothing behind the last word."""
        ids = self.ids[:, : int(self.ends.max())]
        return replace(self, ids=ids, lengths=self.ends, after=0)

    def subwords_of(self, rows: SpanRows) -> tuple[Int[Tensor, " row"], Int[Tensor, " row"]]:
        """The first token of each row's span, and the number of its tokens."""
        first = self.edges[rows.sentence, rows.start]
        return first, self.edges[rows.sentence, rows.end] - first

    def tokens_of(self, rows: SpanRows) -> Int[Tensor, "row subword"]:
        """Each row's subwords as tokens of its sentence; then tokens that do not count."""
        first, subwords = self.subwords_of(rows)
        token = first[:, None] + torch.arange(int(subwords.max()), device=first.device)
        return token.minimum(self.ends[rows.sentence, None] - 1)

    def words_ended(self) -> Int[Tensor, "sentence length"]:
        """At the last subword of word w: w + 1; at any other token 0."""
        ended = torch.zeros_like(self.ids)
        sentence, word = (self.edges[:, 1:] > self.edges[:, :-1]).nonzero(as_tuple=True)
        ended[sentence, self.edges[sentence, word + 1] - 1] = word + 1
        return ended


def lay_out(encoded: EncodedWords) -> SpanSentences:
    """Where each word's subwords start, between the special tokens.

    Raises:
        UserError: a sentence has no start token in front, or a special token between its words.
    """
    is_token = encoded.word_of != NO_WORD
    before = is_token.int().argmax(-1)
    after = encoded.lengths - before - is_token.sum(-1)
    _check_specials(encoded, is_token, before, after)
    subwords = tokens_to_words(encoded.word_of, int(encoded.words.max())).sum(-1)
    edges = before[:, None] + torch.nn.functional.pad(subwords.cumsum(-1), (1, 0))
    return SpanSentences(
        encoded.ids, encoded.lengths, encoded.words, edges, int(before[0]), int(after[0])
    )


@dataclass(frozen=True)
class SpanRows:
    """Row r is the words from start[r] to end[r] of sentence[r], one span to be seen alone."""

    sentence: Int[Tensor, " row"]
    start: Int[Tensor, " row"]
    end: Int[Tensor, " row"]

    def __len__(self) -> int:
        return len(self.sentence)

    def __getitem__(self, chosen: Int[Tensor, " chosen"] | Bool[Tensor, " row"]) -> SpanRows:
        return SpanRows(self.sentence[chosen], self.start[chosen], self.end[chosen])


def every_start(words: Int[Tensor, " sentence"]) -> SpanRows:
    """The rows (i, n) of every sentence, for i from 1 on: n - 1 a sentence."""
    edge = torch.arange(int(words.max()), device=words.device)
    sentence, start = ((edge > 0) & (edge < words[:, None])).nonzero(as_tuple=True)
    return SpanRows(sentence, start, words[sentence])


def every_span(words: Int[Tensor, " sentence"]) -> SpanRows:
    """The rows (i, j) of every sentence but (0, n): n (n + 1) / 2 - 1 a sentence."""
    edge = torch.arange(int(words.max()) + 1, device=words.device)
    start, end, last = edge[:, None], edge[None, :], words[:, None, None]
    spans = (start < end) & (end <= last) & ~((start == 0) & (end == last))
    return SpanRows(*spans.nonzero(as_tuple=True))


def batches(lengths: Int[Tensor, " row"], *, equal: bool) -> Iterator[Int[Tensor, " chosen"]]:
    """Rows in order of length, as many a batch as this device runs quickest.

    Args:
        lengths: tokens of each row.
        equal: whether the rows of a batch must have one length, so that nothing is filled.
    """
    budget = CPU_TOKENS if lengths.device.type == "cpu" else token_budget(lengths.device)
    order = lengths.argsort(stable=True)
    first, ascending = 0, lengths[order].tolist()
    for place, length in enumerate(ascending):
        # In ascending order the newcomer is the longest.
        full = (place + 1 - first) * length > budget or (equal and length > ascending[first])
        if full and place > first:
            yield order[first:place]
            first = place
    if ascending:
        yield order[first:]


def _check_specials(
    encoded: EncodedWords,
    is_token: Bool[Tensor, "sentence length"],
    before: Int[Tensor, " sentence"],
    after: Int[Tensor, " sentence"],
) -> None:
    if int(before.min()) == 0:
        raise UserError(
            "the tokenizer puts no start token in front of a sentence, and a span that is seen "
            "alone attends to one: pass add_start=True to put the tokenizer's start token there, "
            "if the model was trained with it"
        )
    place = torch.arange(is_token.shape[1])
    between = (place >= before[:, None]) & (place < (encoded.lengths - after)[:, None]) & ~is_token
    uneven = (before != before[0]) | (after != after[0])
    odd = (between.any(-1) | uneven).nonzero()
    if len(odd):
        raise UserError(
            f"sentence {int(odd[0])}: the tokenizer puts special tokens between its words, or not "
            "as many around them as in sentence 0: expected the same special tokens in front of "
            "every sentence and behind it, and none within"
        )
