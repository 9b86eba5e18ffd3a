from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM

from hf_grok.errors import UserError
from hf_grok.measurement.length_batches import TOKEN_BUDGET
from hf_grok.models import word_level_tokenizer
from hf_grok.probes.tasks.masked_loss import MaskedLoss

TEXTS = ["a b c d e", "c", "b a", "e e e e e e e d c b a", "d a", "a b c d c b a"]
TOKENIZER = word_level_tokenizer(list("abcde"), append_end=True, mask=True)


def tiny_bert() -> BertForMaskedLM:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(TOKENIZER),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        initializer_range=0.5,
    )
    return BertForMaskedLM(config).eval()


def one_by_one(loss: MaskedLoss, model: BertForMaskedLM) -> tuple[float, int]:
    total, count = 0.0, 0
    for number, text in enumerate(TEXTS):
        ids = torch.tensor(TOKENIZER(text)["input_ids"])
        masked = loss._masked[number, : len(ids)].nonzero().squeeze(1).tolist()
        assert len(masked) == max(1, round(0.15 * len(text.split())))
        assert 0 not in masked
        assert len(ids) - 1 not in masked
        seen = ids.clone()
        seen[masked] = TOKENIZER.mask_token_id
        with torch.no_grad():
            logits = model(seen[None]).logits[0]
        for place in masked:
            total -= logits[place].double().log_softmax(-1)[ids[place]].item()
            count += 1
    return total, count


def test_equals_one_line_at_a_time() -> None:
    model = tiny_bert()
    loss = MaskedLoss(TEXTS, TOKENIZER)
    total, count = loss.tally(model)["loss"]
    expected, expected_count = one_by_one(loss, model)
    assert count == expected_count
    assert total == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("budget", [1, 12, 10_000])
def test_batch_size_and_split_do_not_show(budget: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_bert()
    loss = MaskedLoss(TEXTS, TOKENIZER)
    whole = loss.tally(model)["loss"]
    monkeypatch.setitem(TOKEN_BUDGET, "cpu", budget)
    for world in (1, 2, 4, 7):
        parts = [loss.tally(model, range(rank, len(loss), world)) for rank in range(world)]
        total, count = sum(parts[1:], parts[0])["loss"]
        assert (total, count) == (pytest.approx(whole[0], rel=1e-6), whole[1])


def test_the_same_is_masked_each_time_and_another_by_another_seed() -> None:
    first, again, other = (MaskedLoss(TEXTS, TOKENIZER, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first._masked, again._masked)
    assert not torch.equal(first._masked, other._masked)


def test_bad_input_is_refused() -> None:
    with pytest.raises(UserError, match="no line"):
        MaskedLoss([], TOKENIZER)
    with pytest.raises(UserError, match="no mask token"):
        MaskedLoss(TEXTS, word_level_tokenizer(list("abcde")))
    with pytest.raises(UserError, match="does not know the word 'f'"):
        MaskedLoss(["a f"], TOKENIZER)
    with pytest.raises(RuntimeError, match="training mode"):
        MaskedLoss(TEXTS, TOKENIZER).tally(tiny_bert().train())
