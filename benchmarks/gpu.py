"""The parts of benchmarks/gpu.sh: what each runs, for how long at most, and what it said."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

SECONDS = 480  # of all parts together
OUT = Path("build/gpu.json")
PACKAGES = ("torch", "transformers", "accelerate", "numpy")


@dataclass(frozen=True)
class Part:
    """One command.

    Attributes:
        words: what Python is given.
        limit: seconds, after which it is stopped.
        full: more words where it is not the small run.
        small: more words where it is.
    """

    words: tuple[str, ...]
    limit: float
    full: tuple[str, ...] = ()
    small: tuple[str, ...] = ("--quick",)

    def command(self, device: str) -> list[str]:
        chosen = self.small if device == "cpu" else self.full
        ours = self.words[0].endswith(".py")
        return [sys.executable, *self.words, *(("--device", device) if ours else ()), *chosen]


TESTS = ("tests/sas/test_fused_arcs.py", "tests/models/test_flex.py")
PARTS: Mapping[str, Part] = {
    "tests": Part(("-m", "pytest", "-q", "-rs", *TESTS), 90, small=()),
    "arc attention": Part(("benchmarks/arc_attention.py",), 100),
    "attention probes": Part(
        ("benchmarks/attention_probes.py",),
        100,
        full=("--sentences", "200", "--rounds", "3", "--loop-sentences", "10"),
    ),
    "training step": Part(
        ("benchmarks/training_step.py", "--threads", "0"),
        110,
        full=("--only", "d512"),
        small=("--quick", "--only", "d128"),
    ),
    "tree projection": Part(
        ("benchmarks/tree_projection.py",),
        80,
        full=("--only", "d512", "--sentences", "20", "--rounds", "1"),
    ),
}


def run(command: Sequence[str], limit: float) -> dict[str, Any]:
    """What a command came to: its status, seconds and lines; its children end with it."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    over = False
    try:
        said, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        over = True
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
    status = "over its time" if over else "failed" if process.returncode else "ran"
    return {
        "command": list(command),
        "status": status,
        "returned": process.returncode,
        "seconds": round(time.perf_counter() - began, 1),
        "limit": limit,
        "said": said.splitlines(),
    }


def about(device: str) -> dict[str, Any]:
    """The device and the versions of what runs on it."""
    import torch

    on_gpu = device == "cuda"
    return {
        "device": device,
        "name": torch.cuda.get_device_name() if on_gpu else platform.processor(),
        "cuda": torch.version.cuda if on_gpu else None,
        "versions": {"Python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
    }


def run_parts(parts: Mapping[str, Part], device: str, out: Path, facts: Mapping[str, Any]) -> int:
    """Run the parts, writing the file after each; 1 if one failed or took too long."""
    done: dict[str, Any] = {}
    out.parent.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        done[name] = run(part.command(device), part.limit)
        print(f"{name:<18}{done[name]['status']:<15}{done[name]['seconds']:>7.1f} s", flush=True)
        out.write_text(json.dumps({**facts, "parts": done}, indent=1) + "\n", encoding="utf-8")
    print(f"written to {out}")
    return 0 if all(one["status"] == "ran" for one in done.values()) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/gpu.sh", description=__doc__)
    parser.add_argument(
        "--device", choices=("cuda", "cpu"), default="cuda", help="cpu: tiny models"
    )
    parser.add_argument("--only", choices=PARTS, nargs="+", help="these parts")
    parser.add_argument("--out", type=Path, default=OUT, help=f"default: {OUT}")
    parser.add_argument(
        "--times", type=float, default=1.0, help="give each part so many times its limit (busy CPU)"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the commands, run none")
    chosen = parser.parse_args(arguments)
    parts = {
        name: replace(PARTS[name], limit=chosen.times * PARTS[name].limit)
        for name in chosen.only or PARTS
    }
    if chosen.dry_run:
        for name, part in parts.items():
            print(f"{name}, {part.limit:g} s at most: {' '.join(part.command(chosen.device))}")
        return 0
    import torch

    if chosen.device == "cuda" and not torch.cuda.is_available():
        parser.error("this machine has no CUDA device: --device cpu tries the parts out")
    return run_parts(parts, chosen.device, chosen.out, about(chosen.device))


if __name__ == "__main__":
    sys.exit(main())
