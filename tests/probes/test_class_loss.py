from __future__ import annotations

from collections import defaultdict
from itertools import cycle
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hf_grok.annotation.alignment import encode_words
from hf_grok.errors import UserError
from hf_grok.measurement.length_batches import TOKEN_BUDGET
from hf_grok.metrics import metric_of
from hf_grok.models import word_level_tokenizer
from hf_grok.probes import TokenClassLoss, add_states
from hf_grok.probes.class_loss import CONTENT, FUNCTION, OTHER, agreement_sites
from hf_grok.probes.inputs.predictions import masked_tokens_of
from hf_grok.probes.tasks import TokenLoss
from hf_grok.probes.tasks.masked_loss import MaskedLoss
from tests.annotation.word_material import TEXTS, WORDS, masking_tokenizer, subword_tokenizer
from tests.probes.matrix import ARCHITECTURES, CAUSAL, model_of
from tests.splitmix import one_number

TAGS = dict(zip(WORDS, cycle(["NOUN", "AUX", "PUNCT", "VERB", "DET"]), strict=False))
CLASS_OF = {"NOUN": "content", "VERB": "content", "AUX": "function", "DET": "function"}


def row_of(text: str) -> dict[str, Any]:
    """Every word hangs on the last, the first as its subject and every AUX as its auxiliary."""
    words = text.split()
    upos = [TAGS[word] for word in words]
    deprels = ["nsubj", *("aux" if tag == "AUX" else "dep" for tag in upos[1:-1]), "root"]
    return {"words": words, "upos": upos, "heads": [len(words)] * (len(words) - 1) + [0],
            "deprels": deprels}  # fmt: skip


ROWS = [row_of(text) for text in TEXTS]
# One by which a token of every class is masked.
SEED = 1


def site_of(row: dict[str, Any]) -> int | None:
    auxiliaries = [at for at, relation in enumerate(row["deprels"]) if relation == "aux"]
    site = auxiliaries[0] if auxiliaries else len(row["words"]) - 1
    return site if row["upos"][site] in ("AUX", "VERB") else None


def losses_by_loop(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, causal: bool
) -> dict[str, list[float]]:
    """One predicted token at a time, from what the model sees of its sentence alone."""
    found = defaultdict(list)
    for number, row in enumerate(ROWS):
        encoding = tokenizer(row["words"], is_split_into_words=True)
        ids, places = encoding["input_ids"], encoding.word_ids()
        tokens = [at for at, place in enumerate(places) if place is not None]
        order = sorted(tokens, key=lambda at: one_number(SEED, 0, 0, number, at))
        masked = order[: max(1, round(0.15 * len(tokens)))]
        for at in range(1, len(ids)) if causal else masked:
            seen = ids[:at] if causal else list(ids)
            if not causal:
                for other in masked:
                    seen[other] = tokenizer.mask_token_id
            with torch.no_grad():
                logits = model(input_ids=torch.tensor([seen])).logits[0, -1 if causal else at]
            loss = -logits.log_softmax(-1)[ids[at]].item()
            place = places[at]
            kind = "other" if place is None else CLASS_OF.get(row["upos"][place], "other")
            for name in (
                kind,
                "all",
                *["agreement"] * (place is not None and place == site_of(row)),
            ):
                found[f"class_loss_{name}"].append(loss)
    return found


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_equals_one_token_at_a_time(name: str, tokens: bool) -> None:
    tokenizer = subword_tokenizer() if tokens else masking_tokenizer()
    model = model_of(name)
    probe = TokenClassLoss(ROWS, tokenizer, seed=SEED)
    numbers = probe.measure(model)
    found = losses_by_loop(model, tokenizer, name in CAUSAL)
    assert numbers == pytest.approx(
        {name: sum(losses) / len(losses) for name, losses in found.items()}, rel=1e-5
    )
    assert set(numbers) == set(probe.metrics)
    assert all(type(value) is float for value in numbers.values())
    assert all(metric_of(probe.metrics, key) for key in numbers)


@pytest.mark.parametrize("append_end", [False, True])
def test_all_is_the_loss_and_three_classes_share_it_out(append_end: bool) -> None:
    model, tokenizer = model_of("gpt2"), masking_tokenizer(append_end=append_end)
    probe = TokenClassLoss(ROWS, tokenizer)
    state = probe.state(model)
    total, count = TokenLoss(TEXTS, tokenizer).tally(model)["loss"]
    assert state["loss"][-1].item() == pytest.approx(total)
    assert state["tokens"][-1].item() == count
    assert state["loss"][:3].sum().item() == pytest.approx(total)
    assert state["tokens"][:3].sum().item() == count


@pytest.mark.parametrize("seed", [0, 5])
def test_of_a_masked_model_all_is_the_validation_loss_of_its_run(seed: int) -> None:
    model, tokenizer = model_of("bert"), masking_tokenizer()
    state = TokenClassLoss(ROWS, tokenizer, seed=seed).state(model)
    total, count = MaskedLoss(TEXTS, tokenizer, seed=seed).tally(model)["loss"]
    assert state["tokens"][-1].item() == count
    assert state["loss"][-1].item() == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize("name", ["llama", "bert"])
def test_split_and_batches_do_not_show(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, probe = model_of(name), TokenClassLoss(ROWS, subword_tokenizer())
    whole = probe.state(model)
    for budget, world in ((1, 1), (60, 3), (2048, 15)):
        monkeypatch.setitem(TOKEN_BUDGET, "cpu", budget)
        states = [probe.state(model, range(len(probe))[rank::world]) for rank in range(world)]
        summed = add_states(states)
        torch.testing.assert_close(summed["loss"], whole["loss"], rtol=1e-6, atol=0)
        assert torch.equal(summed["tokens"], whole["tokens"])
    nothing = probe.state(model, [])
    assert {k: (v.shape, v.dtype) for k, v in nothing.items()} == {
        k: (v.shape, v.dtype) for k, v in whole.items()
    }
    assert not any(value.any() for value in nothing.values())
    assert probe.compute(nothing) == {}


def test_masked_tokens_are_a_share_of_the_words_and_depend_on_the_seed_alone() -> None:
    sentences = [text.split() for text in TEXTS]
    encoded = encode_words(sentences, subword_tokenizer())
    masked = masked_tokens_of(encoded, seed=0)
    assert not (masked & (encoded.word_of < 0)).any()
    tokens = (encoded.word_of >= 0).sum(1).tolist()
    assert masked.sum(1).tolist() == [max(1, round(0.15 * count)) for count in tokens]
    assert torch.equal(masked, masked_tokens_of(encoded, seed=0))
    assert not torch.equal(masked, masked_tokens_of(encoded, seed=1))
    fewer = masked_tokens_of(encode_words(sentences[:3], subword_tokenizer()), seed=0)
    assert torch.equal(fewer, masked[:3, : fewer.shape[1]])


def test_a_start_token_lets_the_first_word_be_predicted() -> None:
    tokenizer = word_level_tokenizer(WORDS)
    tokenizer.backend_tokenizer.post_processor = None  # as GPT-2's, it adds no start token
    model = model_of("gpt2")
    counts = [
        TokenClassLoss(ROWS, tokenizer, add_start=start).state(model)["tokens"][-1].item()
        for start in (False, True)
    ]
    words = sum(len(row["words"]) for row in ROWS)
    assert counts == [words - len(ROWS), words]


def test_without_dependencies_there_is_no_agreement() -> None:
    rows = [{"words": row["words"], "upos": row["upos"]} for row in ROWS]
    model = model_of("neox")
    numbers = TokenClassLoss(ROWS, masking_tokenizer()).measure(model)
    del numbers["class_loss_agreement"]
    assert TokenClassLoss(rows, masking_tokenizer()).measure(model) == numbers


@pytest.mark.parametrize(
    ("sentence", "sites"),
    [
        # word/upos/head/relation
        ("the/DET/2/det dogs/NOUN/5/nsubj have/AUX/5/aux been/AUX/5/aux barking/VERB/0/root", [2]),
        ("dogs/NOUN/2/nsubj bark/VERB/0/root", [1]),
        ("does/AUX/3/aux she/PRON/3/nsubj bark/VERB/0/root", [0]),
        ("she/PRON/3/nsubj is/AUX/3/cop tall/ADJ/0/root", [1]),
        ("she/PRON/2/nsubj tall/ADJ/0/root", []),
        ("bark/VERB/0/root !/PUNCT/1/punct", []),
        ("dogs/NOUN/0/nsubj bark/VERB/1/dep", []),
        ("it/PRON/3/nsubj:pass was/AUX/3/aux:pass eaten/VERB/0/root", [1]),
        (
            "dogs/NOUN/5/nsubj that/PRON/4/nsubj do/AUX/4/aux bark/VERB/1/acl sleep/VERB/0/root",
            [2, 4],
        ),
    ],
)
def test_agreement_sites(sentence: str, sites: list[int]) -> None:
    words = [word.split("/") for word in sentence.split()]
    upos, heads, deprels = ([word[column] for word in words] for column in (1, 2, 3))
    assert agreement_sites(upos, [int(head) for head in heads], deprels) == sites


def test_the_classes_share_out_the_tags_of_universal_dependencies() -> None:
    tags = CONTENT + FUNCTION + OTHER
    assert len(tags) == len(set(tags)) == 17


def test_nothing_is_left_behind() -> None:
    model = model_of("modernbert")
    state = torch.get_rng_state()
    TokenClassLoss(ROWS, masking_tokenizer()).measure(model)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_bad_input() -> None:
    tokenizer = masking_tokenizer()
    with pytest.raises(UserError, match="no sentences"):
        TokenClassLoss([], tokenizer)
    with pytest.raises(UserError, match="row 0 has no column 'upos'"):
        TokenClassLoss([{"words": ["ape"]}], tokenizer)
    with pytest.raises(UserError, match="row 1: 2 words and 1 upos"):
        TokenClassLoss([ROWS[0], {**row_of("ape bear"), "upos": ["NOUN"]}], tokenizer)
    with pytest.raises(UserError, match="unknown part of speech of row 0 'NN'"):
        TokenClassLoss([{"words": ["ape"], "upos": ["NN"]}], tokenizer)
    with pytest.raises(UserError, match=r"row 0: word 1 .* has head 7"):
        TokenClassLoss([{**row_of("ape bear"), "heads": [7, 0]}], tokenizer)
    probe = TokenClassLoss(ROWS, word_level_tokenizer(WORDS))
    with pytest.raises(UserError, match="has no mask token"):
        probe.measure(model_of("bert"))
    with pytest.raises(UserError, match="gives no logits"):
        probe.measure(model_of("gpt2").transformer)
    diverged = model_of("gpt2")
    diverged.transformer.wte.weight.data.fill_(torch.nan)
    with pytest.raises(UserError, match="has training diverged"):
        probe.measure(diverged)
    with pytest.raises(RuntimeError, match="training mode"):
        probe.measure(model_of("gpt2").train())
