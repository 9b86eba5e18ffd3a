from __future__ import annotations

import math

import pytest
import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

from hf_grok.errors import UserError
from hf_grok.models import layers
from tests.models.reference import head_attention, reference_logits, sinusoid
from tests.models.tiny import SENTENCES, padded, tiny_config, tiny_model

TOLERANCE = {"rtol": 0.0, "atol": 1e-5}


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_logits_are_those_of_the_formulas(attention: str, sentence: list[int]) -> None:
    model = tiny_model(attention)
    logits = model(torch.tensor([sentence])).logits[0]
    torch.testing.assert_close(logits, reference_logits(model, sentence), **TOLERANCE)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_no_logit(attention: str, side: str) -> None:
    model = tiny_model(attention)
    ids, mask = padded(SENTENCES, side)
    logits = model(ids, attention_mask=mask).logits
    for row, sentence in enumerate(SENTENCES):
        torch.testing.assert_close(
            logits[row, mask[row].bool()], reference_logits(model, sentence), **TOLERANCE
        )


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_padding_on_the_right_needs_no_mask(attention: str) -> None:
    model = tiny_model(attention)
    ids, mask = padded(SENTENCES, "right")
    kept = mask.bool()
    torch.testing.assert_close(
        model(ids).logits[kept], model(ids, attention_mask=mask).logits[kept], **TOLERANCE
    )


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_sentences_packed_in_one_row_do_not_see_each_other(attention: str) -> None:
    model = tiny_model(attention)
    row = torch.tensor([[token for sentence in SENTENCES for token in sentence]])
    positions = torch.tensor([[p for sentence in SENTENCES for p in range(len(sentence))]])
    packed = model(row, position_ids=positions, use_cache=False).logits[0]
    alone = torch.cat([reference_logits(model, sentence) for sentence in SENTENCES])
    torch.testing.assert_close(packed, alone, **TOLERANCE)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_a_later_token_changes_no_earlier_logit(attention: str) -> None:
    model = tiny_model(attention)
    before = torch.tensor([[1, 5, 9, 4, 17, 20]])
    after = before.clone()
    after[0, 3] = 6
    difference = (model(before).logits - model(after).logits).abs().amax(-1)[0]
    assert difference[:3].max() == 0
    assert difference[3:].min() > 1e-4


def test_a_registered_attention_gives_the_same_logits() -> None:
    AttentionInterface.register("hfgrok_test_registered", layers.eager_attention)
    AttentionMaskInterface.register("hfgrok_test_registered", eager_mask)
    model = tiny_model("hfgrok_test_registered")
    ids, mask = padded(SENTENCES, "left")
    outputs = model(ids, attention_mask=mask, output_attentions=True)
    eager = tiny_model("eager")(ids, attention_mask=mask, output_attentions=True)
    torch.testing.assert_close(outputs.logits, eager.logits)
    assert len(outputs.attentions) == 3


def test_an_attention_without_a_mask_function_is_refused() -> None:
    AttentionInterface.register("hfgrok_test_unmasked", layers.eager_attention)
    model = tiny_model("hfgrok_test_unmasked")
    with pytest.raises(UserError, match="would see the future"):
        model(torch.tensor([[1, 2]]))


def test_positions_are_the_sinusoids_of_vaswani() -> None:
    table = layers.sinusoidal_positions(50, 16)
    for position in (0, 1, 7, 49):
        torch.testing.assert_close(table[position], sinusoid(position, 16), **TOLERANCE)
    assert table[3, 2].item() == pytest.approx(math.sin(3 / 10000 ** (2 / 16)), abs=1e-6)


def test_word_embeddings_may_stand_for_ids() -> None:
    model = tiny_model()
    ids = torch.tensor([SENTENCES[1]])
    embedded = model.get_input_embeddings()(ids)
    torch.testing.assert_close(model(inputs_embeds=embedded).logits, model(ids).logits)


def test_logits_may_be_kept_for_some_positions_only() -> None:
    model = tiny_model()
    ids = torch.tensor([SENTENCES[1]])
    whole = model(ids).logits
    torch.testing.assert_close(model(ids, logits_to_keep=2).logits, whole[:, -2:])
    chosen = torch.tensor([0, 3])
    torch.testing.assert_close(model(ids, logits_to_keep=chosen).logits, whole[:, chosen])


def test_hidden_states_are_every_layers_input_and_the_last_output() -> None:
    model = tiny_model()
    outputs = model(torch.tensor([SENTENCES[0]]), output_hidden_states=True)
    assert len(outputs.hidden_states) == 4
    torch.testing.assert_close(model.lm_head(outputs.hidden_states[-1]), outputs.logits)
    first = model.model.layers[0](outputs.hidden_states[0], attention_mask=_causal(5))
    torch.testing.assert_close(first, outputs.hidden_states[1])


def test_attentions_are_those_of_the_formulas() -> None:
    model = tiny_model()
    outputs = model(torch.tensor([SENTENCES[1]]), output_attentions=True, output_hidden_states=True)
    states = outputs.hidden_states[1][0]
    fused = model.model.layers[1].attention.qkv_proj.weight
    query, key, value = (third[8:16] for third in fused.chunk(3))
    expected = head_attention(states, query, key, value)[1]
    torch.testing.assert_close(outputs.attentions[1][0, 1], expected, **TOLERANCE)


def test_attentions_are_reported_before_dropout() -> None:
    model = tiny_model(attention_dropout=0.5).train()
    ids, mask = padded(SENTENCES, "right")
    outputs = model(ids, attention_mask=mask, output_attentions=True)
    assert [tuple(a.shape) for a in outputs.attentions] == [(3, 4, 9, 9)] * 3
    for attention in outputs.attentions:
        torch.testing.assert_close(attention.sum(-1), torch.ones(3, 4, 9), **TOLERANCE)


def test_attention_dropout_is_drawn_in_training_only() -> None:
    model = tiny_model(attention_dropout=0.5, dropout=0.0)
    ids = torch.tensor([SENTENCES[1]])
    evaluated = model(ids).logits
    torch.testing.assert_close(model(ids).logits, evaluated)
    assert (model.train()(ids).logits - evaluated).abs().max() > 1e-2


@pytest.mark.parametrize("attention", ["sdpa", "flex_attention"])
def test_attentions_of_a_fused_kernel_are_refused(attention: str) -> None:
    model = tiny_model(attention)
    with pytest.raises(UserError, match="set_attn_implementation"):
        model(torch.tensor([[1, 2]]), output_attentions=True)


def test_a_sequence_beyond_the_table_is_refused() -> None:
    model = tiny_model(max_position_embeddings=4)
    model(torch.ones(1, 4, dtype=torch.long))
    with pytest.raises(UserError, match="5 tokens: expected at most max_position_embeddings=4"):
        model(torch.ones(1, 5, dtype=torch.long))


def test_ids_and_embeddings_together_or_neither_are_refused() -> None:
    model = tiny_model()
    ids = torch.tensor([[1, 2]])
    with pytest.raises(UserError, match="exactly one"):
        model(ids, inputs_embeds=model.get_input_embeddings()(ids))
    with pytest.raises(UserError, match="exactly one"):
        model()


def test_bfloat16_weights_run() -> None:
    model = tiny_model().to(torch.bfloat16)
    logits = model(torch.tensor([SENTENCES[1]])).logits
    exact = tiny_model()(torch.tensor([SENTENCES[1]])).logits
    assert logits.dtype == torch.bfloat16
    assert (logits.float() - exact).abs().max() < 0.1 * exact.abs().max()


def test_the_tied_variant_shares_one_matrix() -> None:
    model = tiny_model(tie_word_embeddings=True)
    assert model.lm_head.weight is model.get_input_embeddings().weight
    assert tiny_config().tie_word_embeddings is False


def _causal(length: int) -> torch.Tensor:
    return torch.full((length, length), -math.inf).triu(1)
