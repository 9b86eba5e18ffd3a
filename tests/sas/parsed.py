"""Parsed sentences, a row in the published layout, and a tiny BERT, for the collator's tests."""

from __future__ import annotations

import random
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

from hf_grok.sas.batches.collator import ArcCollator
from tests.annotation.word_material import WORDS, masking_tokenizer, subword_tokenizer

Row = dict[str, Any]

__all__ = ["WORDS", "masking_tokenizer", "subword_tokenizer"]


def sentence(words: list[str], heads: list[int]) -> Row:
    deprels = ["root" if head == 0 else "obj" if head % 2 else "nsubj" for head in heads]
    return {"words": words, "heads": heads, "deprels": deprels}


def random_heads(words: int, seed: int) -> list[int]:
    """A random tree: words are hung, in random order, on words that hang already."""
    generator = random.Random(seed)
    order = generator.sample(range(1, words + 1), words)
    heads = [0] * words
    for place, word in enumerate(order[1:], start=1):
        heads[word - 1] = generator.choice(order[:place])
    return heads


def sentences(count: int, *, longest: int = 12) -> list[Row]:
    generator = random.Random(5)
    rows = []
    for number in range(count):
        words = generator.sample(WORDS, generator.randint(2, longest))
        rows.append(sentence(words, random_heads(len(words), number)))
    return rows


def published_row() -> Row:
    """[CLS] ape bear cat [SEP] [PAD]: bear is the root, the others hang on it."""
    return {
        "input_ids": [1, 5, 6, 7, 2, 0],
        "attention_mask": [1, 1, 1, 1, 1, 0],
        "token_type_ids": [0, 0, 0, 1, 1, 0],
        "heads": [-1, 2, 0, 2, -1, 3],
        "relns": ["", "nsubj", "root", "obj", "", ""],
    }


def byte_level_tokenizer() -> PreTrainedTokenizerFast:
    """One token a letter, the space before a word one of them: a word costs more after another."""
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    vocabulary = {"<pad>": 0, **{letter: at for at, letter in enumerate(sorted(alphabet), 1)}}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>")


def causal(tokenizer: Any = None, **options: Any) -> ArcCollator:
    return ArcCollator(tokenizer or subword_tokenizer(), masked=False, **options)


def arcs_of(batch: dict[str, Tensor], row: int, key: str = "arc_heads") -> set[tuple[int, int]]:
    return {(word, head) for word, head in enumerate(batch[key][row].tolist()) if head != -1}


def tiny_bert(tokenizer: PreTrainedTokenizerFast) -> BertForMaskedLM:
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
    )
    return BertForMaskedLM(config)
