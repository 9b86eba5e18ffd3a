"""What a run says of itself: run.json, and the lines that it prints as it begins and ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hf_grok.languages import brought_language
from hf_grok.recipes.data.language import LanguageData
from hf_grok.recipes.probes import foreign_versions
from hf_grok.recipes.recipe import Settings
from hf_grok.recipes.resume import as_recorded
from hf_grok.recipes.shared import bound_values
from hf_grok.recipes.trainer.trainer import GrokTrainer
from hf_grok.runs.folder import METRICS_FILE, RUN_FILE
from hf_grok.runs.record import changed_values, machine, versions


def run_information(
    settings: Settings, language: LanguageData, trainer: GrokTrainer, threads: int
) -> dict[str, Any]:
    """What run.json says of a run before it starts."""
    training = settings.training
    annotation = language.annotation
    if settings.data.language:
        scheme = brought_language(settings.data.language).thing.scheme
        # Grammars and probes alike take their arcs from the derivation.
        annotation = {"training": scheme, "evaluation": scheme} if scheme else {}
    return {
        "hf_grok_version": versions()["hf_grok"],
        "recipe": settings.recipe.name,
        "scale": settings.recipe.scale,
        "seed": training.seed,
        "arguments": changed_values(settings.data, settings.model, settings.probes, training),
        "overrides": as_recorded(settings.overrides),
        "resumed": [],
        "left_out_options": list(settings.left_out),
        "bound_arguments": bound_values(settings),
        "chosen": {
            "precision": "bf16" if training.bf16 else "fp32",
            "attention": trainer.model.config._attn_implementation,
            "dropout_masks": "pooled" if trainer.mask_pools else "drawn",
            "threads": threads,
            "processes": training.world_size,
        },
        "data": {
            "fingerprint": language.fingerprint,
            "train_examples": len(language.train),
            **language.facts,
        },
        "annotation": annotation,
        "versions": {**versions(), **foreign_versions(settings)},
        "machine": machine(training.device.type, threads),
        "model": {
            "name": settings.model.model,
            "parameters": trainer.model.num_parameters(),
            "layers": settings.model.layers,
        },
    }


def opening(info: dict[str, Any]) -> str:
    """Two lines on what is about to run, from its `run_information`."""
    chosen = ", ".join(f"{key} {value}" for key, value in info["chosen"].items())
    return (
        f"{info['recipe']} ({info['scale']}), seed {info['seed']}: {info['model']['name']}, "
        f"{info['model']['layers']} layers, {info['model']['parameters']:,} parameters, "
        f"{info['data']['train_examples']:,} training lines\n{chosen}"
    )


def closing(folder: Path, step: int) -> str:
    """What a finished run has written, and how to look at it."""
    files = {
        METRICS_FILE: "every number that was logged",
        RUN_FILE: "what was run, on what, and how it ended",
        "model.safetensors": "the final weights, with config and tokenizer",
        "checkpoint-N/": "the checkpoints, each resumable",
    }
    lines = [f"finished at step {step}; written to {folder}:"]
    lines += [f"  {name:<20}{meaning}" for name, meaning in files.items()]
    return "\n".join([*lines, f"draw it: hf-grok report {folder}"])
