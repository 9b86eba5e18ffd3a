"""What ProbeCallback logs is the step's and the run's: best models, restarts, searches."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    EarlyStoppingCallback,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    Trainer,
    TrainerCallback,
)
from transformers.trainer_utils import HPSearchBackend, default_compute_objective

from hf_grok.callbacks import LogSpacedCallback, ProbeCallback
from hf_grok.errors import UserError
from hf_grok.runs.folder import PROBES_FILE
from tests.callbacks.material import CountingProbe, rows, tiny_model, tiny_trainer

NORM = "eval_count_norm"


class OtherProbe(CountingProbe):
    name = "other"
    metrics = {"other_norm": CountingProbe.metrics["count_norm"]}  # noqa: RUF012

    def compute(self, state: Any) -> dict[str, float]:
        return {"other_norm": super().compute(state)["count_norm"]}


class Truth(TrainerCallback):
    """The squared norm of the weights at every step, from the definition."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.norms: dict[int, float] = {}
        self.stop_at = stop_at

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.on_step_end(args, state, control, **kwargs)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.norms[state.global_step] = squared_norm(kwargs["model"])
        control.should_training_stop |= state.global_step == self.stop_at


def squared_norm(model: nn.Module) -> float:
    return sum(float(p.detach().double().square().sum()) for p in model.parameters())


def logged(trainer: Trainer, key: str = NORM) -> list[tuple[int, float]]:
    return [(row["step"], row[key]) for row in trainer.state.log_history if key in row]


def true(truth: Truth, *steps: int) -> list[tuple[int, Any]]:
    """What should be logged at these steps; the probe sums in single precision."""
    return [(step, pytest.approx(truth.norms[step], rel=1e-6)) for step in steps]


def near(model: nn.Module) -> Any:
    return pytest.approx(squared_norm(model), rel=1e-6)


def pictured(folder: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (folder / PROBES_FILE).read_text().splitlines()]


def watched(folder: Path, truth: Truth | None = None, **changes: Any) -> Trainer:
    trainer = tiny_trainer(folder, learning_rate=1e-2, **changes)
    if truth is not None:
        trainer.add_callback(truth)
    trainer.add_callback(ProbeCallback(trainer, [CountingProbe()]))
    return trainer


BEST = {
    "save_strategy": "steps",
    "load_best_model_at_end": True,
    "metric_for_best_model": NORM,
    "greater_is_better": False,  # the norm grows: the best model is an early one
}


@pytest.mark.parametrize(
    ("stop_at", "changes", "steps"),
    [
        (5, {"eval_steps": 2, "save_steps": 2}, [0, 2, 4, 5]),  # stopped off the grid
        (None, {"eval_steps": 4, "save_steps": 4, "max_steps": 7}, [0, 4, 7]),
        (3, {"eval_strategy": "epoch", "save_strategy": "epoch", "max_steps": 20}, [0, 3]),
        (6, {"eval_steps": 4, "save_steps": 4, "gradient_accumulation_steps": 2}, [0, 4, 6]),
    ],
)
def test_the_last_step_is_measured_before_the_best_model_is_loaded(
    tmp_path: Path, stop_at: int | None, changes: dict[str, Any], steps: list[int]
) -> None:
    truth = Truth(stop_at)
    trainer = watched(tmp_path, truth, **{**BEST, **changes})
    trainer.train()
    assert logged(trainer) == true(truth, *steps)
    assert pictured(tmp_path) == steps
    if trainer.state.best_global_step not in (None, steps[-1]):
        # The best model is what the trainer holds, and what it measures when asked.
        assert trainer.evaluate()[NORM] == near(trainer.model) != truth.norms[steps[-1]]
        assert [step for step, _ in logged(trainer)] == steps  # but is not the step's
        assert pictured(tmp_path) == steps


def test_an_early_stop_by_a_probe_that_is_not_due_at_each_round(tmp_path: Path) -> None:
    truth = Truth()
    trainer = tiny_trainer(
        tmp_path, learning_rate=1e-2, eval_steps=1, save_steps=1,
        **{**BEST, "metric_for_best_model": "loss", "greater_is_better": True},
    )  # fmt: skip
    trainer.add_callback(truth)
    trainer.add_callback(ProbeCallback(trainer, [CountingProbe()], every=4))
    trainer.add_callback(EarlyStoppingCallback(early_stopping_patience=2))
    trainer.train()
    assert (trainer.state.global_step, trainer.state.best_global_step) == (3, 1)
    assert logged(trainer) == true(truth, 0, 3)


def test_every_training_has_all_its_steps(tmp_path: Path) -> None:
    truth = Truth()
    trainer = watched(tmp_path, truth, eval_strategy="no")
    for _ in range(2):
        trainer.train()
        assert logged(trainer) == true(truth, 0, 8)
        assert pictured(tmp_path) == [0, 8]


@pytest.mark.parametrize("evaluated", [None, {"near": rows(6, seed=1), "far": rows(5, seed=2)}])
def test_evaluating_before_and_after_training(tmp_path: Path, evaluated: Any) -> None:
    trainer = watched(tmp_path, evaluated=evaluated, eval_on_start=evaluated is not None)
    before = trainer.evaluate()
    assert before[NORM] == near(trainer.model)
    trainer.train()
    assert [step for step, _ in logged(trainer)] == [0, 3, 6, 8]
    assert trainer.evaluate()[NORM] == logged(trainer)[-1][1]
    assert pictured(tmp_path) == [0, 3, 6, 8]


@pytest.mark.parametrize("probed_first", [True, False])
def test_two_callbacks_beside_log_spaced_evaluations(tmp_path: Path, probed_first: bool) -> None:
    trainer = tiny_trainer(tmp_path, eval_strategy="no")
    one = ProbeCallback(trainer, [CountingProbe()])
    two = ProbeCallback(trainer, [OtherProbe()], every=4)
    spaced = LogSpacedCallback(trainer, "log:4")
    for callback in [one, spaced, two] if probed_first else [spaced, one, two]:
        trainer.add_callback(callback)
    trainer.train()
    assert [step for step, _ in logged(trainer)] == [0, 1, 2, 4, 8]
    assert [step for step, _ in logged(trainer, "eval_other_norm")] == [0, 4, 8]
    assert sorted(pictured(tmp_path)) == [0, 0, 1, 2, 4, 4, 8, 8]


def test_two_probes_of_one_name_are_refused_when_training_begins(tmp_path: Path) -> None:
    trainer = watched(tmp_path)
    trainer.add_callback(ProbeCallback(trainer, [CountingProbe(3)]))
    with pytest.raises(UserError, match="two probes are named 'count'"):
        trainer.train()


def test_a_callback_that_comes_after_a_first_training(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path)
    trainer.train()
    trainer.add_callback(ProbeCallback(trainer, [CountingProbe()]))
    assert trainer.evaluate()[NORM] == near(trainer.model)
    trainer.train()
    assert [step for step, _ in logged(trainer)] == [0, 3, 6, 8]


class RunsOutOfMemory(TrainerCallback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == self.step:
            self.step = -1
            raise RuntimeError("CUDA out of memory.")


def test_a_restart_with_a_smaller_batch(tmp_path: Path) -> None:
    truth = Truth()
    trainer = watched(tmp_path, truth, auto_find_batch_size=True, eval_on_start=True, max_steps=6)
    trainer.add_callback(RunsOutOfMemory(4))
    trainer.train()
    assert trainer.state.train_batch_size < 4
    assert logged(trainer) == true(truth, 0, 3, 6)
    assert pictured(tmp_path) == [0, 3, 6]


def test_a_finished_run_that_is_resumed_has_each_step_once(tmp_path: Path) -> None:
    # An epoch has ten steps: one that ends within an epoch is trained on when it is resumed.
    changes: dict[str, Any] = {"save_strategy": "steps", "save_steps": 5, "max_steps": 10}
    watched(tmp_path, **changes).train()
    again = watched(tmp_path, **changes)
    again.train(resume_from_checkpoint=str(tmp_path / "checkpoint-10"))
    assert [step for step, _ in logged(again)] == [0, 3, 6, 9, 10]
    assert pictured(tmp_path) == [0, 3, 6, 9, 10]


class Trial(dict[str, Any]):
    """As much of a trial as Trainer asks for."""

    def __init__(self, number: int, **params: Any) -> None:
        super().__init__(params)
        self.number, self.params = number, params


def search(trainer: Trainer, trials: list[Trial], objective: Any) -> list[float]:
    """What `hyperparameter_search` does with each trial of a study, and the objectives."""
    trainer.hp_search_backend = HPSearchBackend.OPTUNA
    trainer.hp_space = lambda trial: trial.params
    trainer.compute_objective = default_compute_objective if objective is None else objective
    found = []
    for trial in trials:
        trainer.objective = None
        trainer.train(trial=trial)
        found.append(trainer.objective)
    trainer.hp_search_backend = None
    return found


@pytest.fixture
def _a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainer imports optuna where it reports; it asks nothing of it for trials like ours."""
    optuna = SimpleNamespace(__spec__=object(), trial=SimpleNamespace(BaseTrial=Trial))
    monkeypatch.setitem(sys.modules, "optuna", optuna)


def search_trainer(folder: Path, **changes: Any) -> Trainer:
    # The length of a trial is searched for too, so the last evaluation falls on and off `every`.
    trainer = tiny_trainer(folder, eval_steps=2, max_steps=5, **changes)
    made = Trainer(
        args=trainer.args,
        model_init=lambda: tiny_model(),
        train_dataset=trainer.train_dataset,
        eval_dataset=trainer.eval_dataset,
    )
    made.add_callback(ProbeCallback(made, [CountingProbe()], every=changes.pop("every", 1)))
    return made


TRIALS = [Trial(0, max_steps=4), Trial(1, max_steps=6, learning_rate=1e-2)]


@pytest.mark.usefixtures("_a_search")
def test_each_trial_of_a_search_is_a_run_of_its_own(tmp_path: Path) -> None:
    trainer = search_trainer(tmp_path)
    truth = Truth()
    trainer.add_callback(truth)
    losses = search(trainer, TRIALS, None)
    assert losses[-1] == logged(trainer, "eval_loss")[-1][1]  # nothing of a probe is in the sum
    assert pictured(tmp_path / "run-0") == [0, 2, 4]
    assert pictured(tmp_path / "run-1") == [0, 2, 4, 6]
    assert not (tmp_path / PROBES_FILE).exists()
    assert logged(trainer) == true(truth, 0, 2, 4, 6)


@pytest.mark.usefixtures("_a_search")
@pytest.mark.parametrize(
    ("changes", "objective"),
    [({"metric_for_best_model": NORM}, None), ({}, lambda metrics: metrics[NORM])],
)
def test_a_search_may_be_for_a_probes_number(
    tmp_path: Path, changes: dict[str, Any], objective: Any
) -> None:
    trainer = search_trainer(tmp_path, **changes)
    found = search(trainer, TRIALS, objective)
    assert found[-1] == logged(trainer)[-1][1] == near(trainer.model)


def test_a_best_model_by_a_number_that_some_rounds_lack_is_refused(tmp_path: Path) -> None:
    for changes, every, fits in (
        ({"eval_steps": 3}, 2, False),
        ({"eval_strategy": "epoch"}, 2, False),
        ({"eval_steps": 4}, 2, True),
    ):
        trainer = tiny_trainer(tmp_path, metric_for_best_model="count_norm", **changes)
        trainer.add_callback(ProbeCallback(trainer, [CountingProbe()], every=every))
        if fits:
            trainer.train()
            continue
        with pytest.raises(UserError, match="metric_for_best_model='eval_count_norm'"):
            trainer.train()
        assert trainer.state.global_step == 0


def test_a_model_in_pieces_is_refused_before_the_first_step(tmp_path: Path) -> None:
    trainer = watched(tmp_path)
    trainer.is_fsdp_enabled = True
    with pytest.raises(UserError, match="sharded over processes"):
        trainer.callback_handler.on_train_begin(trainer.args, trainer.state, trainer.control)


@pytest.mark.parametrize(
    "changes",
    [
        {"eval_do_concat_batches": False},
        {"logging_strategy": "no"},
        {"include_num_input_tokens_seen": "all", "eval_delay": 4},
        {"eval_strategy": "epoch"},
    ],
)
def test_other_settings_of_trainer(tmp_path: Path, changes: dict[str, Any]) -> None:
    truth = Truth()
    trainer = watched(tmp_path, truth, **changes)
    trainer.train()
    found = logged(trainer)
    assert found == true(truth, *dict(found))
    assert (found[0][0], found[-1][0], len(found)) == (0, 8, len(dict(found)))


def test_seq2seq_trainer_with_metrics_of_its_own(tmp_path: Path) -> None:
    arguments = Seq2SeqTrainingArguments(
        str(tmp_path), max_steps=2, use_cpu=True, disable_tqdm=True, report_to="none",
        eval_strategy="steps", eval_steps=1,
    )  # fmt: skip
    trainer = Seq2SeqTrainer(
        tiny_model(), arguments, train_dataset=rows(8), eval_dataset=rows(4),
        compute_metrics=lambda _: {"mine": torch.ones(()).item()},
    )  # fmt: skip
    trainer.add_callback(ProbeCallback(trainer, CountingProbe()))
    trainer.train()
    assert [step for step, _ in logged(trainer)] == [0, 1, 2]
    assert {"eval_mine", NORM} <= trainer.evaluate().keys()
