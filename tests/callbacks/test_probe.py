"""ProbeCallback on the plain Trainer: when it probes, where its numbers go, what it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback

from hf_grok.callbacks import LogSpacedCallback, ProbeCallback, ProbeFailedError
from hf_grok.errors import UserError
from hf_grok.runs.folder import PROBES_FILE
from tests.callbacks.material import CountingProbe, FailingProbe, rows, tiny_trainer


def probed(trainer: Trainer, *probes: CountingProbe, **options: Any) -> list[int]:
    """Train with the probes and return the steps at which their numbers were logged."""
    trainer.add_callback(ProbeCallback(trainer, probes, **options))
    trainer.train()
    return probed_steps(trainer)


def probed_steps(trainer: Trainer) -> list[int]:
    return [row["step"] for row in trainer.state.log_history if "eval_count_items" in row]


def test_every_round_and_the_first_and_last_step(tmp_path: Path) -> None:
    assert probed(tiny_trainer(tmp_path), CountingProbe()) == [0, 3, 6, 8]


def test_a_round_over_several_data_sets_is_one_round(tmp_path: Path) -> None:
    evaluated = {"near": rows(6, seed=1), "far": rows(5, seed=2)}
    trainer = tiny_trainer(tmp_path, evaluated=evaluated, eval_on_start=True)
    assert probed(trainer, CountingProbe()) == [0, 3, 6, 8]
    trainer.evaluate()
    trainer.evaluate()
    assert probed_steps(trainer)[4:] == [8, 8]


def test_rounds_may_be_thinned_out(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, eval_steps=2)
    assert probed(trainer, CountingProbe(), every=4) == [0, 4, 8]


def test_with_log_spaced_evaluations(tmp_path: Path) -> None:
    for first in (True, False):
        trainer = tiny_trainer(tmp_path, eval_strategy="no")
        added = [
            lambda trainer=trainer: trainer.add_callback(LogSpacedCallback(trainer, "log:4")),
            lambda trainer=trainer: trainer.add_callback(ProbeCallback(trainer, [CountingProbe()])),
        ]
        for add in added if first else reversed(added):
            add()
        trainer.train()
        assert probed_steps(trainer) == [0, 1, 2, 4, 8]


def test_numbers_reach_history_metrics_and_reporters(tmp_path: Path) -> None:
    seen: list[dict[str, float]] = []

    class Reporter(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any, **_: Any) -> None:
            seen.append(dict(logs))

    trainer = tiny_trainer(tmp_path)
    trainer.add_callback(Reporter())
    trainer.add_callback(ProbeCallback(trainer, [CountingProbe()]))
    trainer.train()
    metrics = trainer.evaluate()
    assert metrics["eval_count_items"] == 5.0
    assert any("eval_count_norm" in logs for logs in seen)
    trainer.save_state()
    history = json.loads((tmp_path / "trainer_state.json").read_text())["log_history"]
    values = [row["eval_count_norm"] for row in history if "eval_count_norm" in row]
    assert len(set(values)) > 3  # the weights move
    # The training rows of the probed steps are all there.
    assert [row["step"] for row in history if "loss" in row] == list(range(1, 9))


def test_the_best_model_and_early_stopping_can_follow_a_probe(tmp_path: Path) -> None:
    trainer = tiny_trainer(
        tmp_path,
        save_strategy="steps",
        save_steps=3,
        load_best_model_at_end=True,
        metric_for_best_model="eval_count_norm",
        greater_is_better=True,
    )
    trainer.add_callback(ProbeCallback(trainer, [CountingProbe()]))
    trainer.add_callback(EarlyStoppingCallback(early_stopping_patience=5))
    trainer.train()
    values = {
        row["step"]: row["eval_count_norm"]
        for row in trainer.state.log_history
        if "eval_count_norm" in row
    }
    assert trainer.state.best_metric == max(values[step] for step in (3, 6, 8))


def test_a_run_with_probes_is_the_run_without(tmp_path: Path) -> None:
    plain = tiny_trainer(tmp_path / "plain")  # making a Trainer seeds what its run draws from
    plain.train()
    watched = tiny_trainer(tmp_path / "watched")
    probed(watched, CountingProbe(), FailingProbe())
    for one, other in zip(plain.model.parameters(), watched.model.parameters(), strict=True):
        assert torch.equal(one, other)

    def losses(trainer: Trainer) -> list[float]:
        return [row["loss"] for row in trainer.state.log_history if "loss" in row]

    assert losses(plain) == losses(watched)


def test_a_failing_probe_names_itself_and_the_run_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trainer = tiny_trainer(tmp_path)
    assert probed(trainer, FailingProbe(), CountingProbe()) == [0, 3, 6, 8]
    failed = [row for row in trainer.state.log_history if "eval_broken_failed" in row]
    assert [row["step"] for row in failed] == [0, 3, 6, 8]
    recorded = [json.loads(line) for line in (tmp_path / PROBES_FILE).read_text().splitlines()]
    assert {"step": 3, "probe": "broken", "version": 1, "failed": "KeyError: 'no such thing'"} in (
        recorded
    )
    assert {"step": 3, "probe": "count", "version": 1, "picture": {"items": 5}} in recorded


def test_a_failing_probe_stops_the_run_that_asked_for_it(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path)
    trainer.add_callback(ProbeCallback(trainer, [FailingProbe()], stop_on_failure=True))
    with pytest.raises(ProbeFailedError, match="probe 'broken' failed at step 0: KeyError"):
        trainer.train()


def test_a_resumed_run_records_each_step_once(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, save_strategy="steps", save_steps=4)
    probed(trainer, CountingProbe())
    resumed = tiny_trainer(tmp_path, save_strategy="steps", save_steps=4)
    resumed.add_callback(ProbeCallback(resumed, [CountingProbe()]))
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    steps = [json.loads(line)["step"] for line in (tmp_path / PROBES_FILE).read_text().splitlines()]
    assert steps == [0, 3, 6, 8]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"probes": []}, "no probes"),
        ({"probes": [CountingProbe()], "every": 0}, "every=0: expected a number of steps from 1"),
        ({"probes": [CountingProbe(), CountingProbe()]}, "two probes are named 'count'"),
        ({"probes": ["nonsense"], "data": []}, "unknown probe 'nonsense': expected one of"),
        ({"probes": ["uas"], "data": {"tree": []}}, "no data for probe 'uas'"),
    ],
)
def test_what_cannot_be_probed_is_refused(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        ProbeCallback(tiny_trainer(tmp_path), **options)
