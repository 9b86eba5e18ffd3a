"""Training a masked language model: what its batches mask, and that a run is as exact as others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from hf_grok.errors import UserError
from hf_grok.masking import IGNORED, Masking, uniform_numbers
from hf_grok.models.tokenizer import word_level_tokenizer
from hf_grok.recipes.build import build_model
from hf_grok.recipes.data.batches import LengthBucketSampler
from hf_grok.recipes.data.language import load_language
from hf_grok.recipes.data.masked import MaskedSequences
from tests.recipes.stopping import StoppedError, stop_at
from tests.recipes.test_resume import same_end
from tests.recipes.tiny import train_tiny
from tests.recipes.tiny_masked import logged, masked_settings, train_masked

SPECIAL = (0, 1, 2, 3, 4)
MASK = 4


def sequences() -> list[list[int]]:
    generator = np.random.default_rng(0)
    return [[1, *generator.integers(5, 50, size=n), 2] for n in generator.integers(1, 12, size=97)]


def dataset(**shares: float) -> MaskedSequences:
    tokenizer = word_level_tokenizer([f"w{word}" for word in range(45)], append_end=True, mask=True)
    assert len(tokenizer) == 50
    assert sorted(tokenizer.all_special_ids) == list(SPECIAL)
    return MaskedSequences(sequences(), tokenizer, Masking(seed=3, **shares))


def masked_of(tokens: list[int], index: int, epoch: int) -> list[int]:
    """Places of the words with the smallest numbers, 15 % of them and one at least."""
    numbers = uniform_numbers(3, epoch, np.array([index]), len(tokens))[0]
    words = range(1, len(tokens) - 1)
    count = max(1, round(0.15 * len(words)))
    return sorted(words, key=lambda place: numbers[place])[:count]


@pytest.mark.parametrize("epoch", [0, 2])
@pytest.mark.parametrize("indices", [[0], [5, 6, 7, 96], [96, 1], list(range(97))])
def test_a_batch_is_the_padded_sequences_with_words_masked(epoch: int, indices: list[int]) -> None:
    data = dataset()
    data.set_epoch(epoch)
    batch = data.batch(indices)
    rows = [sequences()[index] for index in indices]
    for row, (index, tokens) in enumerate(zip(indices, rows, strict=True)):
        masked = masked_of(tokens, index, epoch)
        for place in range(batch["input_ids"].shape[1]):
            padding = place >= len(tokens)
            seen = 0 if padding else MASK if place in masked else tokens[place]
            assert batch["input_ids"][row, place] == seen
            wanted = tokens[place] if place in masked else IGNORED
            assert batch["labels"][row, place] == wanted
    uneven = len({len(row) for row in rows}) > 1
    assert ("attention_mask" in batch) == uneven
    if uneven:
        assert batch["attention_mask"].sum(1).tolist() == [len(row) for row in rows]


def test_epochs_and_seeds_mask_differently() -> None:
    data = dataset()
    batches = []
    for epoch in (0, 1):
        data.set_epoch(epoch)
        batches.append(data.batch(range(97))["labels"])
    assert not torch.equal(*batches)


def test_masked_words_can_be_shown_as_others_or_as_they_are() -> None:
    data = dataset(share=0.5, random=0.25, kept=0.25)
    seen, masked = [], []
    for epoch in range(40):
        data.set_epoch(epoch)
        batch = data.batch(range(97))
        places = batch["labels"] != IGNORED
        seen.append(batch["input_ids"][places])
        masked.append(batch["labels"][places])
    shown, words = torch.cat(seen), torch.cat(masked)
    assert (shown == MASK).float().mean().item() == pytest.approx(0.5, abs=0.02)
    # A word drawn at random is the masked one once in 45.
    assert (shown == words).float().mean().item() == pytest.approx(0.25 + 0.25 / 45, abs=0.02)
    others = shown[(shown != MASK) & (shown != words)]
    assert set(others.tolist()) == set(range(5, 50))


def test_the_sampler_tells_the_epoch() -> None:
    data = dataset()
    LengthBucketSampler(data.lengths, 4, 0, tell_epoch=data.set_epoch).set_epoch(5)
    assert data.epoch == 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--mask_share", "0"], "mask_share=0.0: expected more than 0"),
        (
            ["--mask_random", "0.6", "--mask_kept", "0.6"],
            "mask_random=0.6, mask_kept=0.6",
        ),
        (["--language", "question-formation"], "bert is a masked language model, and what ques"),
        (
            ["--dataloader_persistent_workers", "true", "--dataloader_num_workers", "1"],
            "never hear of a new epoch",
        ),
        (["--probe_pairs", "0"], "probe_pairs=0: expected at least 1 pair"),
    ],
)
def test_bad_values_are_refused(tmp_path: Path, words: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        train_masked(tmp_path, *words)
    assert not (tmp_path / "run").exists()


def test_a_language_without_pairs_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="question-formation has no minimal pairs"):
        train_tiny(tmp_path, "--probes", "pairs")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("masked")
    probes = ["--probes", "default", "--probe_pairs", "2", "--max_steps", "20"]
    return train_masked(folder, *probes, "--learning_rate", "1e-2")


def test_a_run_logs_loss_structure_and_pairs(finished: Path) -> None:
    losses = logged(finished, "eval_loss")
    assert losses[-1] < losses[0]
    for number in ("uas_single_head", "pairs_accuracy", "sparsity_normalised", "norm_l2"):
        assert len(logged(finished, f"eval_{number}")) == len(losses), number
    assert not logged(finished, "eval_in_distribution_accuracy")


def test_its_model_and_tokenizer_load(finished: Path) -> None:
    model = AutoModelForMaskedLM.from_pretrained(finished)
    tokenizer = AutoTokenizer.from_pretrained(finished)
    encoded = tokenizer("the <mask> sleeps .", return_tensors="pt")
    assert encoded["input_ids"][0].tolist()[2] == tokenizer.mask_token_id == 4
    assert model(**encoded).logits.shape == (1, 6, len(tokenizer))


@pytest.mark.parametrize("model", ["bert", "modernbert"])
@pytest.mark.parametrize("padded", [False, True])
def test_batched_attention_is_the_models_own(tmp_path: Path, model: str, padded: bool) -> None:
    words = ["--model", model, "--attention", "batched"]
    settings = masked_settings(tmp_path, *words)
    language = load_language(settings.data, masked=True, quiet=True)
    built = build_model(settings, language).eval()
    order = np.argsort(language.train.lengths)
    batch = language.train.batch(order[[0, 20, 63]] if padded else order[[30]])
    assert ("attention_mask" in batch) == padded
    outputs = []
    for attention in ("hfgrok_batched", "eager"):
        built.set_attn_implementation(attention)
        inputs = {name: batch[name] for name in ("input_ids", "attention_mask") if name in batch}
        outputs.append(built(**inputs).logits[batch["labels"] != IGNORED])
    torch.testing.assert_close(*outputs, rtol=1e-5, atol=1e-5)


def test_a_causal_model_learns_the_language_too(tmp_path: Path) -> None:
    options = '{"n_positions": 64}'
    run = train_masked(tmp_path, "--model", "gpt2", "--model_options", options, "--max_steps", "2")
    assert json.loads((run / "config.json").read_text())["architectures"] == ["GPT2LMHeadModel"]
    assert "<mask>" not in AutoTokenizer.from_pretrained(run).get_vocab()


@pytest.mark.parametrize("masks", ["pooled", "drawn"])
def test_stopped_and_resumed(tmp_path: Path, masks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the second epoch, whose masks are not those of the first."""
    words = ["--dropout_masks", masks]
    straight = train_masked(tmp_path / "straight", *words)
    with monkeypatch.context() as patch:
        stop_at(26, patch)
        with pytest.raises(StoppedError):
            train_masked(tmp_path / "stopped", *words)
    same_end(train_masked(tmp_path / "stopped", *words, resume=True), straight)
