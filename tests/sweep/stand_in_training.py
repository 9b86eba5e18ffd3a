"""`python -m tests.sweep.stand_in_training FOLDER SEED FACTOR STEPS SECONDS KILLS [--resume]`.

A run as the sweep knows one, without a model: a row and a checkpoint a step, exact resume. With
KILLS, its first start kills whoever started it, as a machine that goes away does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from hf_grok.runs.folder import checkpoints, step_of, write_json


def loss_at(seed: int, factor: float, step: int) -> float:
    """What a run logs: a function of its settings and the step."""
    return factor * (seed + 1) / step


def train(words: list[str]) -> None:
    folder, seed, factor = Path(words[0]), int(words[1]), float(words[2])
    steps, seconds, kills = int(words[3]), float(words[4]), words[5] == "kills"
    resumes = words[6:] == ["--resume"]
    assert folder.exists() == resumes, f"{folder}: {words}"
    folder.mkdir(parents=True, exist_ok=True)
    saved = checkpoints(folder)
    done = step_of(saved[-1]) if saved else 0
    info = {"seed": seed, "versions": {"hf_grok": "0"}, "recipe": "stand-in"}
    write_json(folder / "run.json", {**info, "status": "running"})
    metrics = folder / "metrics.jsonl"
    lines = metrics.read_text().splitlines()[:done] if metrics.is_file() else []
    metrics.write_text("".join(f"{line}\n" for line in lines))
    for step in range(done + 1, steps + 1):
        time.sleep(seconds)
        with metrics.open("a") as file:
            file.write(json.dumps({"step": step, "eval_loss": loss_at(seed, factor, step)}) + "\n")
        (folder / f"checkpoint-{step}").mkdir()
        with (folder.parent / "starts").open("a") as file:
            file.write(f"{folder.name} {step}\n")
        if kills and step == 2 and not resumes:
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
    write_json(folder / "run.json", {**info, "status": "finished"})


if __name__ == "__main__":
    train(sys.argv[1:])
