"""Three processes find what one finds: losses, penalties, gradients, behaviours and probes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.processes import run_together
from tests.sas.in_processes import everything

PROCESSES = 3


@pytest.mark.slow
def test_three_processes_equal_one(tmp_path: Path) -> None:
    run_together(PROCESSES, ["-m", "tests.sas.in_processes", str(tmp_path)])
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
