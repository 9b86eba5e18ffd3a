"""Sentences, tokenizers and oracles that the tests of spans and trees share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from torch import Tensor
from torch.nn.functional import layer_norm, linear
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hf_grok.annotation.alignment import encode_words
from hf_grok.models import word_level_tokenizer
from hf_grok.probes.trees.span_rows import SpanSentences, lay_out

WORDS = ("a", "b", "c", "d", "e", "f", "g", "h")
SENTENCES = [
    ["a", "b", "c", "d", "e", "f", "g", "h"],
    ["b", "a"],
    ["c", "c", "d", "a", "h"],
    ["h", "g", "f"],
    ["e", "a", "d", "b", "c", "g"],
]
SPECIAL = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}


def one_token_tokenizer(*, end: bool) -> PreTrainedTokenizerFast:
    """A subword a word, between <s> and, where asked, </s>."""
    return word_level_tokenizer(WORDS, append_end=end)


def wordpiece_tokenizer() -> PreTrainedTokenizerFast:
    """ "abc" is a ##b ##c, between [CLS] and [SEP]."""
    subwords = [*SPECIAL.values(), *WORDS, *(f"##{word}" for word in WORDS)]
    vocabulary = {subword: number for number, subword in enumerate(subwords)}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIAL)


def laid_out(
    tokenizer: PreTrainedTokenizerFast, sentences: Sequence[Sequence[str]] = SENTENCES
) -> SpanSentences:
    return lay_out(encode_words(sentences, tokenizer))


def visible_tokens(sentences: SpanSentences, number: int, start: int, end: int) -> Tensor:
    """The tokens of a sentence that are special or in its words [start, end)."""
    edges, length = sentences.edges[number], int(sentences.lengths[number])
    last = int(edges[-1])
    token = torch.arange(length)
    special = (token < sentences.before) | (token >= last)
    return special | ((token >= edges[start]) & (token < edges[end]))


def chart_by_definition(sentences: SpanSentences, states_of: object) -> Tensor:
    """SCI, span by span: `states_of(number, start, end)` runs one masked sentence.

    The whole sentence is the span in which nothing is masked.
    """
    size = sentences.edges.shape[1]
    chart = torch.zeros(len(sentences.words), size, size)
    for number, words in enumerate(sentences.words.tolist()):
        full = states_of(number, 0, words)
        for start in range(words):
            for end in range(start + 1, words + 1):
                first, last = sentences.edges[number, start], sentences.edges[number, end]
                alone = states_of(number, start, end)[first:last].sum(0)
                chart[number, start, end] = torch.cosine_similarity(
                    full[first:last].sum(0), alone, dim=0
                )
    return chart


def vanilla_states(model: PreTrainedModel, ids: Tensor, visible: Tensor, threshold: int) -> Tensor:
    """The vanilla transformer from its weights and its formulas, for one row of ids."""
    heads, base = model.config.num_attention_heads, model.model
    length, width = len(ids), model.config.hidden_size
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    x = base.embed_tokens.weight[ids] * math.sqrt(width) + base.positions.table[:length]
    for number, layer in enumerate(base.layers):
        sees = causal & visible if number >= threshold else causal
        sees = sees | torch.eye(length, dtype=torch.bool)
        query, key, value = (
            linear(x, matrix).view(length, heads, -1).transpose(0, 1)
            for matrix in layer.attention.qkv_proj.weight.chunk(3)
        )
        scores = query @ key.transpose(1, 2) / math.sqrt(width // heads)
        mixed = scores.masked_fill(~sees, -math.inf).softmax(-1) @ value
        mixed = linear(
            mixed.transpose(0, 1).reshape(length, width), layer.attention.out_proj.weight
        )
        x = normed(layer.attention_norm, x + mixed)
        inner = linear(x, layer.mlp.up_proj.weight, layer.mlp.up_proj.bias).relu()
        x = normed(
            layer.mlp_norm, x + linear(inner, layer.mlp.down_proj.weight, layer.mlp.down_proj.bias)
        )
    return x


def normed(norm: torch.nn.LayerNorm, x: Tensor) -> Tensor:
    return layer_norm(x, x.shape[-1:], norm.weight, norm.bias, norm.eps)
