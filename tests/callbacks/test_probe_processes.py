"""Probes over two processes: the same numbers on both, the items shared out, one writer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.callbacks.material import CountingProbe, tiny_trainer
from tests.processes import run_together

PROGRAM = """
import json, sys
from pathlib import Path
from hf_grok.callbacks import CheckpointSeriesCallback, ProbeCallback
from tests.callbacks.material import CountingProbe, FailingProbe, tiny_trainer
from tests.callbacks.test_probe_runs import BEST, Truth

class FailsOnOne(FailingProbe):
    def state(self, model, indices=None):
        if 1 in indices:
            raise ValueError("only here")
        return CountingProbe.state(self, model, indices)

folder = Path(sys.argv[1])
trainer = tiny_trainer(
    folder, per_device_train_batch_size=2, ddp_find_unused_parameters=False, learning_rate=1e-2,
    save_steps=3, **BEST,
)
truth = Truth(stop_at=7)
trainer.add_callback(truth)
trainer.add_callback(ProbeCallback(trainer, [FailsOnOne(), CountingProbe(5)]))
trainer.add_callback(CheckpointSeriesCallback("grower/run", wait_seconds=1))
trainer.train()
rows = [row for row in trainer.state.log_history if "eval_count_items" in row]
for row in rows:
    del row["eval_probes_runtime"]
    row["truth"] = truth.norms[row["step"]]
(folder / f"rank{trainer.args.process_index}.json").write_text(json.dumps(rows))
trainer.accelerator.wait_for_everyone()
trainer.end()
"""


def test_two_processes(tmp_path: Path) -> None:
    run_together(2, ["-c", PROGRAM, str(tmp_path)])
    first, second = (json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    assert [row["step"] for row in first] == [0, 3, 6, 7]  # the best model is that of step 3
    for row in first:
        assert row["eval_count_norm"] == pytest.approx(row["truth"], rel=1e-6)
    assert {row["eval_count_items"] for row in first} == {5.0}
    assert {row["eval_broken_failed"] for row in first} == {1.0}
    recorded = [json.loads(line) for line in (tmp_path / "probes.jsonl").read_text().splitlines()]
    assert len(recorded) == 8  # two probes, four rounds, one writer
    assert recorded[0]["failed"] == "rank 1: ValueError: only here"
    staged = sorted((tmp_path / "series" / "staged").iterdir())
    assert [path.name for path in staged] == ["step0", "step3", "step6"]
    alone = tiny_trainer(tmp_path / "alone")
    expected = CountingProbe(5).measure(alone.model.eval())
    assert first[0]["eval_count_norm"] == expected["count_norm"]
