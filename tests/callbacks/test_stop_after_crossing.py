"""A run ends so many steps after a metric was first reached, on resume too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from torch import nn
from transformers import TrainerControl, TrainerState, TrainingArguments

from hf_grok.callbacks import ProbeCallback, StopAfterCrossingCallback
from hf_grok.errors import UserError
from hf_grok.probes import State
from tests.callbacks.material import CountingProbe, tiny_trainer


class SteppingProbe(CountingProbe):
    """count_items = number of times that it was asked."""

    def state(self, model: nn.Module, indices: Sequence[int] | None = None) -> State:
        state = super().state(model, indices)
        return {**state, "items": state["items"] * 0 + self.calls}


def stopped_at(folder: Path, threshold: float, steps: int) -> tuple[int, list[str]]:
    trainer = tiny_trainer(folder, max_steps=20, eval_steps=2)
    trainer.add_callback(ProbeCallback(trainer, [SteppingProbe()]))
    trainer.add_callback(StopAfterCrossingCallback("eval_count_items", threshold, steps))
    trainer.train()
    return trainer.state.global_step, sorted(path.name for path in folder.glob("checkpoint-*"))


def test_it_stops_and_saves_so_many_steps_later(tmp_path: Path) -> None:
    # Asked at steps 0, 2, 4, 6: the third time is at step 4.
    assert stopped_at(tmp_path / "a", 3.0, 5) == (10, ["checkpoint-10"])


def test_a_run_that_never_gets_there_runs_to_its_end(tmp_path: Path) -> None:
    assert stopped_at(tmp_path / "b", 99.0, 1)[0] == 20


def test_a_run_that_was_stopped_stays_stopped_when_resumed() -> None:
    rows = [{"step": 2, "eval_x": 0.2}, {"step": 4, "eval_x": 0.6}, {"step": 9, "eval_x": 0.1}]
    callback = StopAfterCrossingCallback("eval_x", 0.5, 5)
    for step, stopped in ((4, False), (8, False), (9, True), (10, False)):
        state, control = TrainerState(global_step=step, log_history=rows), TrainerControl()
        callback.on_train_begin(TrainingArguments("unused"), state, control)
        assert control.should_training_stop == stopped, step


def test_no_steps_are_refused() -> None:
    with pytest.raises(UserError, match="at least 1"):
        StopAfterCrossingCallback("eval_x", 0.5, 0)
