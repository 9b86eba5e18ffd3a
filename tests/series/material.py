"""Small real checkpoints, saved as Trainer saves them, each with weights of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from hf_grok.series import RevisionTemplate, RunSeries, StepValues
from hf_grok.series.hub.pusher import Pusher
from hf_grok.series.hub.repository import SeriesHub
from tests.hub_server import HubServer

REPO = "grower/series"


def tiny_model(seed: int) -> GPT2LMHeadModel:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = GPT2Config(vocab_size=11, n_positions=8, n_embd=8, n_layer=1, n_head=2)
        model = GPT2LMHeadModel(config)
    model.config.use_cache = False  # as Trainer leaves it
    return model


def save_checkpoint(run: Path, step: int, seed: int | None = None) -> Path:
    """`run/checkpoint-N`, weights drawn by the step unless a seed says otherwise."""
    folder = run / f"checkpoint-{step}"
    tiny_model(step if seed is None else seed).save_pretrained(folder)
    (folder / "training_args.bin").write_bytes(b"a pickle of Trainer's")
    (folder / "optimizer.pt").write_bytes(f"moments at {step}".encode())
    state = {"global_step": step, "log_history": [{"step": step, "eval_loss": 1 / (1 + step)}]}
    (folder / "trainer_state.json").write_text(json.dumps(state))
    return folder


def series_of(run: Path, template: str = "step{step}", **options: Any) -> RunSeries:
    return RunSeries(run, RevisionTemplate(template), **options)


def staged(run: Path, steps: Iterable[int]) -> RunSeries:
    """A run with these steps saved and set aside."""
    series = series_of(run)
    for step in steps:
        series.add(step, save_checkpoint(run, step), StepValues(metrics={"eval_loss": 1.0}))
    return series


def pusher_of(series: RunSeries, **options: object) -> Pusher:
    return Pusher(series, SeriesHub(REPO), patience=3, **options)


def weights_on(server: HubServer, revision: str, repo: str = REPO) -> bytes:
    return server.files(repo, revision)["model.safetensors"]


def weights_of(run: Path, step: int) -> bytes:
    return (run / f"checkpoint-{step}" / "model.safetensors").read_bytes()
