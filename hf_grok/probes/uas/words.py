"""Attention between tokens, as attention between words."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import embedding_bag


@dataclass(frozen=True)
class WordPieces:
    """Where the words of a batch stand in its maps: the same for every layer.

    The rows of all maps of a layer lie one below the other, [batch * head * token].

    Attributes:
        rows: those of tokens that belong to a word, in order.
        starts: for each word of each map, where its rows start in `rows`; a word that a sentence
            does not have has none.
        count: tokens of each word of each sentence; 1 where there is no word.
    """

    rows: Int[Tensor, " row"]
    starts: Int[Tensor, " word_of_map"]
    count: Int[Tensor, "batch word"]

    def to(self, device: torch.device) -> WordPieces:
        """The same on another device."""
        return WordPieces(*(values.to(device) for values in (self.rows, self.starts, self.count)))


def word_tokens(word_of: Int[Tensor, "batch length"], words: int, heads: int) -> WordPieces:
    """The places of words 0 to `words` - 1 in maps of `heads` heads.

    Args:
        word_of: the word of each token, -1 for none. The tokens of a word stand one after the
            other, and words in order, as every tokenizer leaves them.
        words: of the longest sentence.
        heads: of a layer.
    """
    member = word_of >= 0
    sentence = torch.arange(len(word_of))[:, None].expand_as(word_of)
    cells = (sentence * words + word_of)[member]
    count = cells.bincount(minlength=len(word_of) * words).view(-1, words)
    of_maps = count[:, None].expand(-1, heads, -1).flatten()
    return WordPieces(
        rows=member[:, None].expand(-1, heads, -1).flatten().nonzero().flatten(),
        starts=of_maps.cumsum(0) - of_maps,
        count=count.clamp(min=1),
    )


def word_attention(
    attention: Float[Tensor, "batch head query key"],
    tokens: WordPieces,
    cells: Bool[Tensor, "word word"],
) -> Float[Tensor, "batch head word word"]:
    """W[i, j] = mean over the tokens p of word i of (sum over the tokens q of word j of A[p, q]).

    What goes to special tokens is dropped and the rest is not scaled up: rows sum to at most 1.
    Sums are taken one token after the other, in the same order on every device, and not as matrix
    products, which a GPU may be told to round (TF32): equal weights stay equal.

    Args:
        attention: the map of a layer, float32.
        tokens: where the words stand.
        cells: W[i, j] is set to 0 where this is False.

    Returns:
        [batch, head, attending word, attended word]; 0 beyond a sentence's last word.

    Source: Clark et al. 2019; Chen et al. 2024 (arXiv 2309.07311).
    """
    maps, words = attention.shape[:2], len(cells)
    attending = _summed(attention, tokens).view(*maps, words, -1)
    attended = _summed(attending.transpose(2, 3), tokens).view(*maps, words, words)
    # One pass for both, written as the sums lie: attended word by attended word.
    share = (cells / tokens.count[:, :, None]).mT.contiguous().mT
    return attended.transpose(2, 3) * share[:, None]


def _summed(
    maps: Float[Tensor, "batch head token other"], tokens: WordPieces
) -> Float[Tensor, "word_of_map other"]:
    """The sum of each word's rows. Whole rows are added: ten times as quick as gathering cells."""
    rows = maps.reshape(-1, maps.shape[-1])
    return embedding_bag(tokens.rows, rows, tokens.starts, mode="sum")
