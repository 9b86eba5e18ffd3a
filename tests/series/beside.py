"""What two processes do to one run's series, in a module that starts fast: it needs no torch."""

from __future__ import annotations

import json
import os
import shutil
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from hf_grok.runs.folder import STATE_FILE
from hf_grok.series import RevisionTemplate, RunSeries, StepValues
from hf_grok.series.local.unfinished import unfinished_folder

STEPS = 30


def save(run: Path, step: int) -> Path:
    """A checkpoint as Trainer leaves it, small enough to be written in a millisecond."""
    folder = run / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    save_file({"x": np.full(512, step, np.float32)}, folder / "model.safetensors")
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        (folder / name).write_text("{}")
    (folder / STATE_FILE).write_text(json.dumps({"global_step": step, "log_history": []}))
    return folder


def train(run: Path, over: Event) -> None:
    """save_total_limit=1: a checkpoint goes as soon as the next one is set aside."""
    series = RunSeries(run, RevisionTemplate())
    for step in range(1, STEPS + 1):
        folder = save(run, step)
        time.sleep(0.002)  # Trainer writes more; the other process sees a whole checkpoint
        series.add(step, folder, StepValues(tokens_seen=step))
        shutil.rmtree(run / f"checkpoint-{step - 1}", ignore_errors=True)
    over.set()


def push(run: Path, over: Event) -> None:
    """What `hf-grok push` does before it pushes, over and over; it has nothing to complain of."""
    said: list[str] = []
    while not over.is_set():
        series = RunSeries(run, RevisionTemplate())
        series.recover()
        series.adopt(run, None, said.append)
    lost = [text for text in said if "is passed over" not in text]  # it is being written
    raise SystemExit("\n".join(lost) or 0)


def die_at_work(run: Path) -> None:
    """Be killed while a step is put together."""
    with unfinished_folder(run / "series" / "staged", 2) as folder:
        (folder / "rubbish.safetensors").write_bytes(b"half")
        os._exit(9)
