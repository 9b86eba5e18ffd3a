"""LogSpacedCallback on the plain Trainer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from hf_grok.callbacks import LogSpacedCallback
from hf_grok.errors import UserError


class Lines(Dataset):
    def __len__(self) -> int:
        return 24

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        ids = torch.arange(index, index + 6) % 20
        return {"input_ids": ids, "labels": ids}


def plain_trainer(folder: Path, **arguments) -> Trainer:
    config = GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=20, n_positions=8)
    settings = {"max_steps": 22, "eval_strategy": "no", "save_strategy": "no", **arguments}
    args = TrainingArguments(str(folder), use_cpu=True, disable_tqdm=True, **settings)
    return Trainer(GPT2LMHeadModel(config), args, train_dataset=Lines(), eval_dataset=Lines())


def evaluated(trainer: Trainer) -> list[int]:
    return [row["step"] for row in trainer.state.log_history if "eval_loss" in row]


def saved(folder: Path) -> list[int]:
    return sorted(int(path.name.split("-")[1]) for path in folder.glob("checkpoint-*"))


def test_first_log_spaced_regular_and_last(tmp_path: Path) -> None:
    trainer = plain_trainer(tmp_path)
    trainer.add_callback(LogSpacedCallback(trainer, "log:10", save="every:10"))
    trainer.train()
    assert evaluated(trainer) == [0, 1, 2, 4, 8, 10, 20, 22]
    assert saved(tmp_path) == [0, 10, 20, 22]


def test_step_zero_holds_the_untrained_weights(tmp_path: Path) -> None:
    trainer = plain_trainer(tmp_path)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    trainer.add_callback(LogSpacedCallback(trainer, save="0,5"))
    trainer.train()
    after = GPT2LMHeadModel.from_pretrained(tmp_path / "checkpoint-0").state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_resuming_repeats_nothing(tmp_path: Path) -> None:
    first = plain_trainer(tmp_path)
    first.add_callback(LogSpacedCallback(first, "log:10", save="every:10"))
    first.train()
    again = plain_trainer(tmp_path)
    again.add_callback(LogSpacedCallback(again, "log:10", save="every:10"))
    again.train(resume_from_checkpoint=str(tmp_path / "checkpoint-20"))
    assert evaluated(again) == [0, 1, 2, 4, 8, 10, 20, 22]


@pytest.mark.parametrize("option", ["eval_strategy", "save_strategy"])
def test_a_strategy_of_the_trainers_own_is_refused(tmp_path: Path, option: str) -> None:
    trainer = plain_trainer(tmp_path, **{option: "steps"})
    with pytest.raises(UserError, match=f'set {option}="no"'):
        LogSpacedCallback(trainer)


def test_a_best_model_that_would_not_be_kept_is_refused(tmp_path: Path) -> None:
    best = {"load_best_model_at_end": True, "metric_for_best_model": "loss"}
    trainer = plain_trainer(tmp_path, **best)
    with pytest.raises(UserError, match="load_best_model_at_end does nothing beside"):
        LogSpacedCallback(trainer)
    later = plain_trainer(tmp_path)
    later.add_callback(LogSpacedCallback(later, "every:10"))
    later.args.load_best_model_at_end = True  # as a search over the arguments may set it
    with pytest.raises(UserError, match="load_best_model_at_end does nothing beside"):
        later.train()
    assert evaluated(later) == []


def test_step_zero_is_evaluated_once_where_trainer_does_so_too(tmp_path: Path) -> None:
    trainer = plain_trainer(tmp_path, eval_on_start=True, max_steps=4)
    trainer.add_callback(LogSpacedCallback(trainer, "every:4"))
    trainer.train()
    assert evaluated(trainer) == [0, 4]


def test_a_run_resumed_from_step_zero_has_it_once(tmp_path: Path) -> None:
    for resume in (None, str(tmp_path / "checkpoint-0")):
        trainer = plain_trainer(tmp_path, max_steps=4)
        trainer.add_callback(LogSpacedCallback(trainer, "every:4", save="0,4"))
        trainer.train(resume_from_checkpoint=resume)
        assert evaluated(trainer) == [0, 4]


def test_checkpoints_of_a_trial_lie_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = plain_trainer(tmp_path, max_steps=2, save_only_model=True)
    monkeypatch.setattr(trainer, "_get_output_dir", lambda trial: str(tmp_path / trial))
    trainer._trial = "run-3"
    callback = LogSpacedCallback(trainer, None, save="every:2")
    callback.on_train_begin(trainer.args, trainer.state, trainer.control)
    assert saved(tmp_path / "run-3") == [0]
    assert saved(tmp_path) == []


@pytest.mark.parametrize("schedule", ["", "5,3"])
def test_an_empty_or_unsorted_schedule_is_refused(tmp_path: Path, schedule: str) -> None:
    with pytest.raises(UserError):
        LogSpacedCallback(plain_trainer(tmp_path), schedule)


WORDS = {"words": lambda step: 130 * step}


def test_evaluations_and_checkpoints_by_words(tmp_path: Path) -> None:
    trainer = plain_trainer(tmp_path)
    callback = LogSpacedCallback(trainer, "words:1K,2K", save="words:260,2500", seen=WORDS)
    trainer.add_callback(callback)
    trainer.train()
    assert evaluated(trainer) == [0, 8, 16, 22]  # 1,040 and 2,080 words
    assert saved(tmp_path) == [0, 2, 20, 22]
    resumed = plain_trainer(tmp_path)
    resumed.add_callback(LogSpacedCallback(resumed, "words:1K,2K", seen=WORDS))
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    assert evaluated(resumed) == [0, 8, 16, 22]


@pytest.mark.parametrize(
    ("schedule", "seen", "told"),
    [
        ("words:1K,3K", WORDS, "goes beyond the run, which has seen 2,860 words"),
        ("words:1K", None, "does not know how many words it has seen"),
    ],
)
def test_words_that_the_run_does_not_reach_or_count(tmp_path, schedule, seen, told) -> None:
    trainer = plain_trainer(tmp_path)
    trainer.add_callback(LogSpacedCallback(trainer, schedule, seen=seen))
    with pytest.raises(UserError, match=told):
        trainer.train()
    assert trainer.state.global_step == 0
