"""A recipe small enough to run in a second, as a user's YAML file."""

from __future__ import annotations

import json
from pathlib import Path

from hf_grok.recipes.recipe import Settings, load_recipe, parse
from hf_grok.train import run
from tests.processes import Apart

RECIPE = """
language: question-formation
language_options: {train_size: 64, validation_size: 20, test_size: 40, generalization_size: 20}
evaluation_examples: 10
layers: 2
hidden_size: 16
heads: 2
model_options: {intermediate_size: 32}
per_device_train_batch_size: 4
learning_rate: 1.0e-3
lr_scheduler_type: constant_with_warmup
warmup_steps: 5
max_steps: 40
evaluations: log:10
checkpoints: every:10
logging_steps: 5
disable_tqdm: true
use_cpu: true
threads: 1
seed: 7
"""

RUN_TIMES = (
    *("train_runtime", "train_samples_per_second", "train_steps_per_second"),
    "eval_probes_runtime",
)


def recipe_file(folder: Path) -> str:
    path = folder / "tiny.yaml"
    path.write_text(RECIPE)
    return str(path)


def tiny_settings(folder: Path, *words: str) -> Settings:
    recipe = load_recipe(recipe_file(folder))
    return parse(recipe, ["--output_dir", str(folder / "run"), *words])


def train_tiny(folder: Path, *words: str, resume: bool = False) -> Path:
    folder.mkdir(exist_ok=True)
    return run(tiny_settings(folder, *words), resume=resume)


def log_of(run: Path) -> list[dict]:
    """What a run logged, without how long training and the probes took."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [
        {key: value for key, value in row.items() if key not in RUN_TIMES}
        for row in map(json.loads, lines)
    ]


def train_apart(folder: Path, *words: str, code: str = "") -> Apart:
    """The same in a process of its own; `code` runs in it first."""
    folder.mkdir(exist_ok=True)
    arguments = [recipe_file(folder), "--output_dir", str(folder / "run"), *words]
    program = (
        f"{code}\nfrom hf_grok.cli import main\nraise SystemExit(main(['train', *{arguments}]))"
    )
    return Apart(["-c", program])
