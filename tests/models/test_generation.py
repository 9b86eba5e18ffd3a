from __future__ import annotations

import pytest
import torch

from hf_grok.errors import UserError
from hf_grok.models import VanillaTransformerForCausalLM
from tests.models.reference import reference_logits
from tests.models.tiny import SENTENCES, padded, tiny_model

GREEDY = {"do_sample": False, "max_new_tokens": 8}


@pytest.fixture(params=["eager", "sdpa"])
def model(request: pytest.FixtureRequest) -> VanillaTransformerForCausalLM:
    model = tiny_model(request.param)
    model.generation_config.eos_token_id = None
    return model


def greedy(model: VanillaTransformerForCausalLM, sentence: list[int], steps: int) -> list[int]:
    """The likeliest next word, again and again, each time from the whole sentence."""
    for _ in range(steps):
        sentence = [*sentence, int(reference_logits(model, sentence)[-1].argmax())]
    return sentence


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_generate_is_the_greedy_loop(
    model: VanillaTransformerForCausalLM, sentence: list[int], use_cache: bool
) -> None:
    generated = model.generate(torch.tensor([sentence]), use_cache=use_cache, **GREEDY)
    assert generated[0].tolist() == greedy(model, sentence, 8)


@pytest.mark.parametrize("use_cache", [True, False])
def test_a_batch_padded_on_the_left_generates_what_each_sentence_does(
    model: VanillaTransformerForCausalLM, use_cache: bool
) -> None:
    ids, mask = padded(SENTENCES, "left")
    generated = model.generate(ids, attention_mask=mask, use_cache=use_cache, **GREEDY)
    for row, sentence in zip(generated.tolist(), SENTENCES, strict=True):
        assert row[ids.shape[1] - len(sentence) :] == greedy(model, sentence, 8)


def test_logits_through_the_cache_are_those_without_it(
    model: VanillaTransformerForCausalLM,
) -> None:
    ids, mask = padded(SENTENCES, "left")
    whole = model(ids, attention_mask=mask).logits
    first = model(ids[:, :4], attention_mask=mask[:, :4], use_cache=True)
    rest = model(ids[:, 4:], attention_mask=mask, past_key_values=first.past_key_values)
    stepped = torch.cat([first.logits, rest.logits], dim=1)
    seen = mask.bool()
    torch.testing.assert_close(stepped[seen], whole[seen], rtol=0.0, atol=1e-5)


def test_a_cache_is_continued_without_a_mask(model: VanillaTransformerForCausalLM) -> None:
    ids = torch.tensor([SENTENCES[1]])
    first = model(ids[:, :4], use_cache=True)
    rest = model(ids[:, 4:], past_key_values=first.past_key_values)
    torch.testing.assert_close(rest.logits, model(ids).logits[:, 4:], rtol=0.0, atol=1e-5)


def test_beams_and_samples_run_through_the_cache(model: VanillaTransformerForCausalLM) -> None:
    ids = torch.tensor([SENTENCES[0]])
    beams = model.generate(ids, num_beams=3, do_sample=False, max_new_tokens=5)
    uncached = model.generate(ids, num_beams=3, do_sample=False, max_new_tokens=5, use_cache=False)
    assert beams.tolist() == uncached.tolist()
    assert model.generate(ids, do_sample=True, max_new_tokens=5).shape == (1, 10)


def test_generation_ends_at_the_end_token() -> None:
    model = tiny_model()
    with torch.no_grad():
        model.lm_head.bias[model.config.eos_token_id] = 1e4
    generated = model.generate(torch.tensor([SENTENCES[0]]), **GREEDY)
    assert generated[0].tolist() == [*SENTENCES[0], model.config.eos_token_id]


@pytest.mark.parametrize("use_cache", [True, False])
def test_generating_beyond_the_table_of_positions_is_refused(use_cache: bool) -> None:
    model = tiny_model(max_position_embeddings=8)
    model.generation_config.eos_token_id = None
    with pytest.raises(UserError, match="max_position_embeddings=8"):
        model.generate(torch.tensor([SENTENCES[0]]), use_cache=use_cache, **GREEDY)
