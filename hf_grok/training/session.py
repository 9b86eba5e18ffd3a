"""One run from its settings to its last file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging

from hf_grok.record import (
    METRICS_FILE,
    RUN_FILE,
    RunRecord,
    changed_values,
    machine,
    refuse_used_folder,
    versions,
)
from hf_grok.training.build import build_trainer, save_final_model
from hf_grok.training.checkpoints import last_whole_checkpoint, step_of
from hf_grok.training.checks import check_settings
from hf_grok.training.language import Language, load_language
from hf_grok.training.machine import choose_precision, choose_threads, keep_freed_memory
from hf_grok.training.recipe import Settings
from hf_grok.training.trainer import GrokTrainer


class Session:
    """Prepares a run, trains it, and leaves a record of how it ended.

    Args:
        settings: what is run.
        resume: go on from the last whole checkpoint in the run's folder.
    """

    def __init__(self, settings: Settings, *, resume: bool = False) -> None:
        self.settings, self.resume = settings, resume
        self.folder = Path(str(settings.training.output_dir))
        self.record = RunRecord(self.folder)
        self.leads = settings.training.process_index == 0

    def train(self) -> Path:
        """Train to the end; whatever stops the run before is in its record, and raised."""
        if not self.resume and self.leads:
            refuse_used_folder(self.folder)
        check_settings(self.settings)
        language, trainer, threads = self._prepare()
        checkpoint = self._checkpoint() if self.resume else None
        if self.leads:
            info = run_information(self.settings, language, trainer, threads)
            self.folder.mkdir(parents=True, exist_ok=True)
            self.record.rewind(step_of(checkpoint) if checkpoint else -1)
            self.record.start(info)
            self.say(opening(info))
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        except BaseException as error:
            if self.leads:
                self.record.finish("failed", reason=str(error) or type(error).__name__)
            raise
        save_final_model(trainer, self.folder)
        if self.leads:
            self.record.finish("finished", steps=trainer.state.global_step)
            self.say(closing(self.folder, trainer.state.global_step))
        trainer.accelerator.wait_for_everyone()  # a rank that leaves early takes the others down
        trainer.end()
        return self.folder

    def say(self, text: str) -> None:
        """Print for the user, on process zero."""
        if self.leads:
            print(text, file=sys.stderr, flush=True)

    def _prepare(self) -> tuple[Language, GrokTrainer, int]:
        training = self.settings.training
        training.bf16 = choose_precision(training.precision, training.device) == "bf16"
        # What accelerate reads; TrainingArguments has derived it already, from bf16 alone.
        training.mixed_precision = "bf16" if training.bf16 else "no"
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self.say(f"preparing {self.settings.data.language}")
        language = load_language(self.settings.data, quiet=training.disable_tqdm or not self.leads)
        trainer = build_trainer(self.settings, language, self.record)
        threads = choose_threads(
            training.threads,
            trainer.model.config,
            training.per_device_train_batch_size,
            training.world_size,
        )
        if training.device.type == "cpu":
            torch.set_num_threads(threads)
            keep_freed_memory()
        return language, trainer, threads

    def _checkpoint(self) -> Path | None:
        found = last_whole_checkpoint(self.folder, self.say)
        if found is None:
            self.say(f"{self.folder} has no whole checkpoint: starting from the beginning")
        else:
            self.say(f"resuming from {found}")
        return found


def run_information(
    settings: Settings, language: Language, trainer: GrokTrainer, threads: int
) -> dict[str, Any]:
    """What run.json says of a run before it starts."""
    training = settings.training
    return {
        "hf_grok_version": versions()["hf_grok"],
        "recipe": settings.recipe.name,
        "scale": settings.recipe.scale,
        "seed": training.seed,
        "arguments": changed_values(settings.data, settings.model, settings.probes, training),
        "chosen": {
            "precision": "bf16" if training.bf16 else "fp32",
            "attention": trainer.model.config._attn_implementation,
            "dropout_masks": "pooled" if trainer.mask_pools else "drawn",
            "threads": threads,
            "processes": training.world_size,
        },
        "data": {"fingerprint": language.fingerprint, "train_examples": len(language.train)},
        "versions": versions(),
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
