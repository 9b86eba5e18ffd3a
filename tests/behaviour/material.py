"""Small rows, tokenizers and models for the tests of behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast


def tokenizer_of(texts: Iterable[str], append_end: bool = False) -> PreTrainedTokenizerFast:
    words = sorted({word for text in texts for word in text.split()})
    specials = ["<pad>", "<s>", "</s>", "<unk>"]
    vocabulary = {word: number for number, word in enumerate(specials + words)}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>" if append_end else "<s> $A",
        special_tokens=[("<s>", 1), ("</s>", 2)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
    )


def tiny_gpt2(vocabulary: int, seed: int = 0, positions: int = 64) -> GPT2LMHeadModel:
    # Wide initial weights, so that the outputs of an untrained model differ from word to word.
    config = GPT2Config(
        vocab_size=vocabulary,
        n_positions=positions,
        n_embd=16,
        n_layer=2,
        n_head=2,
        initializer_range=0.5,
        bos_token_id=1,
        eos_token_id=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GPT2LMHeadModel(config).eval()


class RiggedModel(nn.Module):
    """A causal "model" whose best next word is `rule(words so far)`."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, rule: Callable[[list[str]], str]
    ) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))
        self.tokenizer = tokenizer
        self.rule = rule
        self.eval()

    def forward(self, input_ids: Tensor, **_: Any) -> SimpleNamespace:
        vocabulary = self.tokenizer.get_vocab()
        logits = torch.zeros(*input_ids.shape, len(vocabulary))
        for row, ids in enumerate(input_ids.tolist()):
            words = self.tokenizer.convert_ids_to_tokens(ids)
            for position in range(len(words)):
                answer = self.rule(words[1 : position + 1])
                logits[row, position, vocabulary[answer]] = 9.0
        return SimpleNamespace(logits=logits)
