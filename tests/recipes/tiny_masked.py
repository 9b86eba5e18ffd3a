"""A masked language model's recipe small enough to run in a second."""

from __future__ import annotations

import json
from pathlib import Path

from hf_grok.recipes.branch import Branch
from hf_grok.recipes.recipe import Settings, load_recipe, parse
from hf_grok.train import run

RECIPE = """
language: agreement
language_options: {train_size: 64, validation_size: 20, test_size: 40, generalization_size: 0}
evaluation_examples: 10
model: bert
layers: 2
hidden_size: 16
heads: 2
model_options: {intermediate_size: 32, max_position_embeddings: 64}
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
probes: none
"""
WITHOUT_DROPOUT = (
    '{"intermediate_size": 32, "max_position_embeddings": 64, "hidden_dropout_prob": 0.0, '
    '"attention_probs_dropout_prob": 0.0}'
)


def masked_recipe_file(folder: Path) -> str:
    path = folder / "tiny-masked.yaml"
    path.write_text(RECIPE)
    return str(path)


def masked_settings(folder: Path, *words: str) -> Settings:
    folder.mkdir(exist_ok=True)
    recipe = load_recipe(masked_recipe_file(folder))
    return parse(recipe, ["--output_dir", str(folder / "run"), *words])


def train_masked(
    folder: Path, *words: str, resume: bool = False, branch: Branch | None = None
) -> Path:
    return run(masked_settings(folder, *words), resume=resume, branch=branch)


def logged(run: Path, key: str) -> list[float]:
    rows = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [row[key] for row in rows if key in row]
