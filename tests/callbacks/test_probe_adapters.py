"""A run of peft's under every probe: measured at each evaluation, and the same run as without."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Trainer

from hf_grok.callbacks import ProbeCallback
from hf_grok.measurement.guard import watching
from hf_grok.probes import Probe
from hf_grok.probes.registry import OURS
from tests.callbacks.material import tiny_trainer
from tests.probes.test_contract import TOKENIZER, probe_of


def adapted_trainer(folder: Path) -> Trainer:
    peft = pytest.importorskip("peft", reason="adapters are made with peft")
    trainer = tiny_trainer(folder, max_steps=4, eval_steps=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of peft, about libraries of its own
        model = peft.get_peft_model(
            trainer.model, peft.LoraConfig(r=2, target_modules=["c_attn"], task_type="CAUSAL_LM")
        )
        return Trainer(
            model=model,
            args=trainer.args,
            train_dataset=trainer.train_dataset,
            eval_dataset=trainer.eval_dataset,
        )


def trained(folder: Path, probes: list[Probe]) -> tuple[dict[str, torch.Tensor], Any]:
    torch.manual_seed(0)
    trainer = adapted_trainer(folder)
    if probes:
        trainer.add_callback(ProbeCallback(trainer, probes))
    trainer.train()
    return {name: value.clone() for name, value in trainer.model.state_dict().items()}, trainer


def test_a_peft_run_is_measured_and_not_disturbed(tmp_path: Path) -> None:
    assert len(TOKENIZER) <= 20, "the vocabulary of the model that is trained"
    plain, _ = trained(tmp_path / "plain", [])
    probed, trainer = trained(tmp_path / "probed", [probe_of(name) for name in OURS])
    assert plain.keys() == probed.keys()
    assert all(torch.equal(value, probed[name]) for name, value in plain.items())
    log = trainer.state.log_history
    assert not [key for row in log for key in row if key.endswith("_failed")]
    last = {key: value for row in log if row["step"] == 4 for key, value in row.items()}
    with watching(trainer.model):
        for name in OURS:
            for number, value in probe_of(name).measure(trainer.model).items():
                assert last[f"eval_{number}"] == pytest.approx(value, rel=1e-6), number
