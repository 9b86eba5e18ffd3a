"""benchmarks/gpu.sh: its parts, its limits and its file; the parts themselves need a GPU."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def gpu() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gpu", ROOT / "benchmarks" / "gpu.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gpu"] = module
    spec.loader.exec_module(module)
    return module


def test_all_parts_take_eight_minutes_at_most(
    gpu: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sum(part.limit for part in gpu.PARTS.values()) <= gpu.SECONDS == 8 * 60
    assert gpu.main(["--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(gpu.PARTS) == 5
    assert all("--device cuda" in line for line in lines[1:])
    assert gpu.main(["--dry-run", "--device", "cpu", "--only", "arc attention"]) == 0
    assert capsys.readouterr().out.endswith("arc_attention.py --device cpu --quick\n")


def test_what_it_runs_is_there(gpu: ModuleType) -> None:
    named = [word for part in gpu.PARTS.values() for word in part.words if word.endswith(".py")]
    assert all((ROOT / name).is_file() for name in named)
    assert os.access(ROOT / "benchmarks" / "gpu.sh", os.X_OK)
    for name in named:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert ("cuda" if name.startswith("tests/") else '"--device"') in text


def test_one_file_says_what_ran_failed_and_took_too_long(gpu: ModuleType, tmp_path: Path) -> None:
    plain = {"small": ()}
    parts = {
        "good": gpu.Part(("-c", "print('12 ms')"), 60, **plain),
        "bad": gpu.Part(("-c", "print('no kernel'); raise SystemExit(3)"), 60, **plain),
        "slow": gpu.Part(
            ("-c", "import time; print('began', flush=True); time.sleep(60)"), 3, **plain
        ),
    }
    out = tmp_path / "deep" / "gpu.json"
    assert gpu.run_parts(parts, "cpu", out, {"device": "cpu"}) == 1
    found = json.loads(out.read_text())
    assert found["device"] == "cpu"
    assert [part["status"] for part in found["parts"].values()] == [
        "ran",
        "failed",
        "over its time",
    ]
    assert [part["said"] for part in found["parts"].values()] == [
        ["12 ms"],
        ["no kernel"],
        ["began"],
    ]
    assert found["parts"]["bad"]["returned"] == 3
