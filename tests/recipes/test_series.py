"""A recipe's run with --series: every checkpoint set aside as a step, the weights unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hf_grok.errors import UserError
from hf_grok.recipes.data.batches import LengthBucketSampler
from hf_grok.recipes.data.language import load_language, prepared_builder
from hf_grok.recipes.trainer.trainer import data_seed
from hf_grok.series.local.journal import Journal, State
from tests.recipes.tiny import log_of, tiny_settings, train_tiny


def test_each_checkpoint_is_set_aside_and_the_run_is_as_without(tmp_path: Path) -> None:
    run = train_tiny(tmp_path / "series", "--series", "tiny-series", "--series_ship_code")
    plain = train_tiny(tmp_path / "plain")
    records = Journal(run / "series").records()
    assert sorted(records) == [0, 10, 20, 30, 40]
    # The tests are offline: nothing is pushed, and nothing is lost.
    assert {record.state for record in records.values()} == {State.STAGED}
    assert all("modeling_vanilla_transformer.py" in record.files for record in records.values())
    for step in (10, 40):
        staged = load_file(run / "series" / "staged" / f"step{step}" / "model.safetensors")
        saved = load_file(plain / f"checkpoint-{step}" / "model.safetensors")
        assert all(torch.equal(staged[name], saved[name]) for name in saved)


def words_by_step(folder: Path, steps: int) -> list[int]:
    """Words read by each step, counted in the batches themselves, in the order of the run."""
    settings = tiny_settings(folder)
    texts = prepared_builder(settings.data, quiet=True).as_dataset(split="train")["text"][:]
    language = load_language(settings.data, quiet=True)
    sampler = LengthBucketSampler(language.train.lengths, 4, data_seed(settings.training))
    counted, epoch = [0], 0
    while len(counted) <= steps:
        sampler.set_epoch(epoch)
        order = list(sampler)
        for start in range(0, len(order), 4):
            read = [len(texts[place].split()) for place in order[start : start + 4]]
            counted.append(counted[-1] + sum(read))
        epoch += 1
    return counted


def test_a_run_is_evaluated_saved_and_named_by_its_words(tmp_path: Path) -> None:
    words = ["--evaluations", "words:300,1K", "--checkpoints", "words:500,1K", "--max_steps", "30"]
    names = ["--series", "tiny-series", "--series_revision", "chck_{words}"]
    run = train_tiny(tmp_path / "one", *words, *names)
    seen = words_by_step(tmp_path / "one", 30)
    due = {each: next(s for s in range(31) if seen[s] >= each) for each in (300, 500, 1000)}
    evaluated = [row["step"] for row in log_of(run) if "eval_loss" in row]
    assert evaluated == [0, due[300], due[1000], 30]
    records = Journal(run / "series").records()
    assert sorted(records) == [0, due[500], due[1000], 30]
    assert [records[step].revision for step in sorted(records)][:3] == [
        "chck_0",
        "chck_500",
        "chck_1K",
    ]


def test_a_schedule_of_words_beyond_the_run_is_refused_before_its_first_step(
    tmp_path: Path,
) -> None:
    with pytest.raises(UserError, match=r"'words:1M' goes beyond the run, which has seen [0-9,]+"):
        train_tiny(tmp_path, "--evaluations", "words:1M", "--max_steps", "10")
    assert not list((tmp_path / "run").glob("checkpoint-*"))
