"""Small rows, tokenizers and models for the tests of behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from hf_grok.models import word_level_tokenizer


def tokenizer_of(texts: Iterable[str], append_end: bool = False) -> PreTrainedTokenizerFast:
    return word_level_tokenizer({w for t in texts for w in t.split()}, append_end=append_end)


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


def train(
    model: nn.Module, tokenizer: PreTrainedTokenizerFast, texts: list[str], steps: int
) -> None:
    """A few steps, one line each: enough that some lines are right and some are not."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    lines = [torch.tensor([tokenizer(text)["input_ids"]]) for text in texts]
    for step in range(steps):
        line = lines[step % len(lines)]
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(line).logits[0, :-1], line[0, 1:]).backward()
        optimizer.step()


def greedy_words(
    model: nn.Module, tokenizer: PreTrainedTokenizerFast, source: str, count: int
) -> list[str]:
    """The next `count` words by the library's own greedy decoding."""
    prompt = torch.tensor([tokenizer(source)["input_ids"]])
    output = model.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=count,
        do_sample=False,
        pad_token_id=0,
        eos_token_id=None,
    )
    return tokenizer.convert_ids_to_tokens(output[0, prompt.shape[1] :])
