"""Three processes find what one finds: losses, penalties, gradients, behaviours and probes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sas.in_processes import everything

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 3


def test_three_processes_equal_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc_per_node", str(PROCESSES), "-m", "tests.sas.in_processes", str(tmp_path)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    alone, _ = everything(tmp_path / "alone", world=1)
    first, *others = (
        json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in range(PROCESSES)
    )
    for case, expected in alone.items():
        for name, value in expected.items():
            # Of training, single precision leaves the last digits of a sum to its order.
            exact = 1e-6 if name.endswith("_loss") and name != "lm_loss" else 2e-5
            assert first[case][name] == pytest.approx(value, rel=exact, abs=1e-9), (case, name)
    assert all(other == first for other in others)
