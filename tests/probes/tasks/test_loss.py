from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from hf_grok.errors import UserError
from hf_grok.measurement.length_batches import TOKEN_BUDGET
from hf_grok.probes.tasks import TokenLoss
from tests.probes.tasks.material import RiggedModel, tiny_gpt2, tokenizer_of

TEXTS = ["a b c d e", "c", "b a", "e e e e e e e", "d a", "a b c d c b a"]
TOKENIZER = tokenizer_of(TEXTS)


def one_by_one(model: nn.Module, append_end: bool = False) -> tuple[float, int]:
    total, count = 0.0, 0
    for text in TEXTS:
        ids = [1, *TOKENIZER.convert_tokens_to_ids(text.split()), *[2] * append_end]
        for position in range(1, len(ids)):
            with torch.no_grad():
                logits = model(torch.tensor([ids[:position]])).logits[0, -1]
            total -= logits.double().log_softmax(-1)[ids[position]].item()
            count += 1
    return total, count


@pytest.mark.parametrize("append_end", [False, True])
def test_equals_one_token_at_a_time(append_end: bool) -> None:
    model = tiny_gpt2(len(TOKENIZER))
    loss = TokenLoss(TEXTS, tokenizer_of(TEXTS, append_end))
    total, count = loss.tally(model)["loss"]
    expected, expected_count = one_by_one(model, append_end)
    assert count == expected_count
    assert total == pytest.approx(expected, rel=1e-6)


def test_known_value() -> None:
    model = RiggedModel(TOKENIZER, lambda words: "a")
    total, count = TokenLoss(["a a b"], TOKENIZER).tally(model)["loss"]
    log_sum = math.log(math.exp(9.0) + len(TOKENIZER) - 1)
    assert (total, count) == (pytest.approx(3 * log_sum - 2 * 9.0), 3)


@pytest.mark.parametrize("budget", [1, 12, 10_000])
def test_batch_size_and_split_do_not_show(budget: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_gpt2(len(TOKENIZER))
    loss = TokenLoss(TEXTS, TOKENIZER)
    whole = loss.tally(model)["loss"]
    monkeypatch.setitem(TOKEN_BUDGET, "cpu", budget)
    for world in (1, 2, 4, 7):
        parts = [loss.tally(model, range(rank, len(loss), world)) for rank in range(world)]
        total, count = sum(parts[1:], parts[0])["loss"]
        assert (total, count) == (pytest.approx(whole[0], rel=1e-6), whole[1])


def test_nothing_is_left_behind() -> None:
    model = tiny_gpt2(len(TOKENIZER))
    state = torch.get_rng_state()
    TokenLoss(TEXTS, TOKENIZER).tally(model)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_errors() -> None:
    with pytest.raises(UserError, match="no line"):
        TokenLoss([], TOKENIZER)
    loss = TokenLoss(TEXTS, TOKENIZER)
    with pytest.raises(UserError, match="8 tokens and the model only 7 positions"):
        loss.tally(tiny_gpt2(len(TOKENIZER), positions=7))
    with pytest.raises(UserError, match="token id 8 and the model's vocabulary ends at 6"):
        loss.tally(tiny_gpt2(7))
    with pytest.raises(RuntimeError, match="training mode"):
        loss.tally(tiny_gpt2(len(TOKENIZER)).train())
