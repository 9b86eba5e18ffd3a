"""Two processes, each with half of the batch, follow the trajectory of one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sas.trainers import logged, sas_trainer
from tests.sas.two_processes import PARTS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("name", "arcs"), [("bert", "contrast"), ("gpt2", "syntactic")])
def test_two_processes_equal_one(name: str, arcs: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc_per_node", "2", "-m", "tests.sas.two_processes", str(tmp_path), name, arcs]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    alone = sas_trainer(tmp_path / "alone", name, sas_arcs=arcs, per_device_train_batch_size=8)
    alone.train()
    for rank in (0, 1):
        together = json.loads((tmp_path / f"rank{rank}.json").read_text())
        for part in PARTS:
            assert together[part] == pytest.approx(logged(alone, part), rel=2e-5), (rank, part)
