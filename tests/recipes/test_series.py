"""A recipe's run with --series: every checkpoint set aside as a step, the weights unchanged."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from hf_grok.series.local.journal import Journal, State
from tests.recipes.tiny import train_tiny


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
