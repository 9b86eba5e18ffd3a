"""Minimal pairs, tokenizers of both kinds, and scores from one forward pass a token."""

from __future__ import annotations

from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from hf_grok.models import word_level_tokenizer
from hf_grok.probes.base import State
from tests.probes.matrix import CAUSAL


def row(number: int, uid: str, term: str, good: str, bad: str) -> dict[str, Any]:
    return {
        "sentence_good": good,
        "sentence_bad": bad,
        "field": "syntax",
        "linguistics_term": term,
        "UID": uid,
        "pairID": str(number),
    }


ROWS = [
    row(0, "bare", "agreement", "the newt sleeps .", "the newt sleep ."),
    row(1, "bare", "agreement", "newts sleep .", "newts sleeps ."),
    row(2, "bare", "agreement", "my newts that sleep swim .", "my newts that sleep swims ."),
    row(0, "across_rc", "agreement", "the newt that swims sleeps .", "the newt that swims sleep ."),
    row(1, "across_rc", "agreement", "the newt sleeps .", "the newt the sleeps ."),  # repeated
    row(0, "order", "word_order", "my newt swims", "swims my newt that newts the sleep swim"),
    row(1, "order", "word_order", "newts", "my newts that newts that newts swim swim sleep ."),
    row(2, "order", "word_order", "the newt swims .", "the newt swims ."),  # a tie
]
TEXTS = [r[name] for r in ROWS for name in ("sentence_good", "sentence_bad")]
SPECIAL = {"pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
AROUND = {"cls_token": "[CLS]", "sep_token": "[SEP]"}


def masked_tokenizer(texts: list[str] = TEXTS, size: int = 40) -> PreTrainedTokenizerFast:
    """WordPiece, with [CLS] and [SEP] around a sentence."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=names, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    ends = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=ends)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIAL, **AROUND)


def causal_tokenizer(texts: list[str] = TEXTS, size: int = 300) -> PreTrainedTokenizerFast:
    """Byte-level BPE with a start token that it never adds, as GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<|endoftext|>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    ends = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", **ends)


STARTING = word_level_tokenizer({word for text in TEXTS for word in text.split()})
MASKED, BARE = masked_tokenizer(), causal_tokenizer()


def tokenizer_of(name: str) -> PreTrainedTokenizerFast:
    return STARTING if name in CAUSAL else MASKED


def log_softmax(logits: Tensor) -> Tensor:
    return logits.double().log_softmax(-1)


@torch.no_grad()
def one_token_at_a_time(model: nn.Module, ids: list[int]) -> float:
    """sum over t >= 1 of log p(w_t | w_0 ... w_{t-1}), a forward pass for each."""
    return sum(
        log_softmax(model(torch.tensor([ids[:t]])).logits[0, -1])[ids[t]].item()
        for t in range(1, len(ids))
    )


@torch.no_grad()
def one_mask_at_a_time(model: nn.Module, ids: list[int], mask: int, special: set[int]) -> float:
    """sum over t of log p(w_t | the others), a forward pass for each."""
    total = 0.0
    for t, token in enumerate(ids):
        if token not in special:
            seen = torch.tensor([[*ids[:t], mask, *ids[t + 1 :]]])
            total += log_softmax(model(seen).logits[0, t])[token].item()
    return total


def expected(model: nn.Module, name: str) -> list[tuple[float, float]]:
    """Both scores of every pair of ROWS."""
    tokenizer = tokenizer_of(name)
    special = {MASKED.cls_token_id, MASKED.sep_token_id}
    found = []
    for pair in ROWS:
        both = [tokenizer(pair[key])["input_ids"] for key in ("sentence_good", "sentence_bad")]
        if name in CAUSAL:
            good, bad = (one_token_at_a_time(model, ids) for ids in both)
        else:
            mask = MASKED.mask_token_id
            good, bad = (one_mask_at_a_time(model, ids, mask, special) for ids in both)
        found.append((good, bad))
    return found


def both(state: State) -> list[tuple[float, float]]:
    return list(zip(state["good"].tolist(), state["bad"].tolist(), strict=True))


def close(one: Any, other: Any) -> bool:
    return torch.allclose(torch.tensor(one), torch.tensor(other), atol=1e-4, rtol=0)
