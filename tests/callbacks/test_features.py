"""Features of Trainer under all three callbacks at once: the run that it is without probes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback

from hf_grok.callbacks import CheckpointSeriesCallback, LogSpacedCallback, ProbeCallback
from hf_grok.probes import WeightNorm
from tests.callbacks.material import rows, tiny_trainer
from tests.sas.trainers import CHECKPOINTING

REENTRANT = {f"{CHECKPOINTING}_kwargs": {"use_reentrant": True}}
FEATURES: dict[str, dict[str, Any]] = {
    "plain": {},
    "checkpointing": {CHECKPOINTING: True},
    "checkpointing, reentrant": {CHECKPOINTING: True, **REENTRANT},
    "accumulation": {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 2},
    "bf16": {"bf16": True},
    "compiled": {"torch_compile": True, "torch_compile_backend": "aot_eager"},
    "dispatched batches": {"accelerator_config": {"dispatch_batches": True}},
    "split batches": {"accelerator_config": {"split_batches": True}},
    "workers that stay": {"dataloader_num_workers": 1, "dataloader_persistent_workers": True},
    "a dict of evaluation sets": {"evaluated": {"near": rows(4), "far": rows(6, seed=2)}},
    "labels smoothed": {"label_smoothing_factor": 0.1},
    "clipped, with a decay": {"max_grad_norm": 0.1, "weight_decay": 0.1},
}
STEPS, DUE, SAVED = 6, [0, 1, 2, 4, 6], [0, 3, 6]


class Weights(TrainerCallback):
    """The weights at each save, as the callback that writes them sees them."""

    def __init__(self) -> None:
        self.at: dict[int, dict[str, torch.Tensor]] = {}

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        weights = kwargs["model"].state_dict()
        self.at[state.global_step] = {name: value.clone() for name, value in weights.items()}


def trainer_with(folder: Path, changes: dict[str, Any]) -> Trainer:
    settings = {"max_steps": STEPS, "eval_strategy": "no", "eval_steps": None, **changes}
    return tiny_trainer(folder, **settings)


# Dynamo's own: it instantiates autograd functions, and says that it looks through caches.
@pytest.mark.filterwarnings("default::DeprecationWarning", "default:Dynamo detected:UserWarning")
@pytest.mark.parametrize("feature", FEATURES)
def test_a_watched_run_is_the_run(feature: str, tmp_path: Path) -> None:
    alone = trainer_with(tmp_path / "alone", FEATURES[feature])
    # Trainer's own evaluations draw a number each: what is compared evaluates as often.
    alone.add_callback(LogSpacedCallback(alone, "log:4"))
    alone.train()
    trainer, weights = trainer_with(tmp_path / "run", FEATURES[feature]), Weights()
    trainer.add_callback(weights)
    trainer.add_callback(LogSpacedCallback(trainer, "log:4", save="every:3"))
    trainer.add_callback(ProbeCallback(trainer, WeightNorm()))
    trainer.add_callback(CheckpointSeriesCallback("grower/run", wait_seconds=1))
    trainer.train()

    final = trainer.model.state_dict()
    assert all(torch.equal(final[name], v) for name, v in alone.model.state_dict().items())
    loss = "eval_near_loss" if "evaluated" in FEATURES[feature] else "eval_loss"
    history = trainer.state.log_history
    assert [row["step"] for row in history if loss in row] == DUE
    assert [row["step"] for row in history if "eval_norm_l2" in row] == DUE
    assert sorted(weights.at) == SAVED
    for step, expected in weights.at.items():
        found = load_file(tmp_path / f"run/series/staged/step{step}/model.safetensors")
        assert all(torch.equal(found[name], expected[name]) for name in found)


def test_an_early_stop_is_the_last_step_of_the_series(tmp_path: Path) -> None:
    best = {"metric_for_best_model": "norm_l2", "greater_is_better": False, "learning_rate": 0.1}
    every = {"eval_strategy": "steps", "eval_steps": 1, "save_strategy": "steps", "save_steps": 1}
    trainer = tiny_trainer(tmp_path, **best, **every, load_best_model_at_end=True)
    trainer.add_callback(ProbeCallback(trainer, WeightNorm()))
    trainer.add_callback(EarlyStoppingCallback(2))
    trainer.add_callback(CheckpointSeriesCallback("grower/run", wait_seconds=1))
    trainer.train()
    last = trainer.state.global_step
    assert last < 8, "it stopped because the norm no longer fell"
    staged = {int(path.name[4:]) for path in (tmp_path / "series/staged").iterdir()}
    assert staged == set(range(last + 1))
