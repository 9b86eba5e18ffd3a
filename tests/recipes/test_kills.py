"""Killed anywhere and resumed, a run leaves the bytes of one that is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the campaign forks each start of a run")
@pytest.mark.slow
def test_a_few_kills_of_the_campaign(tmp_path: Path) -> None:
    """In a process of its own: its starts are forks, which want a parent that has not trained.

    Two of its seeds, for time's sake: drawn dropout masks, and the regulariser.
    """
    script = [sys.executable, "benchmarks/resume_kills.py", "--folder", str(tmp_path)]
    done = subprocess.run(
        [*script, "--seeds", "1", "4"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert done.stdout.splitlines()[-1].split()[:2] == ["all", "2"]
