"""One run from its settings to its last file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging

from hf_grok.recipes.branch import (
    Branch,
    check_branch,
    check_same_setting,
    inherit_tables,
    parent_record,
    resumed_branch,
)
from hf_grok.recipes.build import build_trainer, save_final_model
from hf_grok.recipes.checks import check_settings
from hf_grok.recipes.data.arcs import told_of_arcs
from hf_grok.recipes.data.language import LanguageData, load_language
from hf_grok.recipes.information import closing, opening, run_information
from hf_grok.recipes.objective import is_masked
from hf_grok.recipes.recipe import Settings
from hf_grok.recipes.resume import (
    changed_since,
    check_same_run,
    final_weights,
    is_done,
)
from hf_grok.recipes.trainer.hardware import choose_precision, choose_threads, keep_freed_memory
from hf_grok.recipes.trainer.trainer import GrokTrainer, data_seed
from hf_grok.runs.folder import check_writable, step_of, taken
from hf_grok.runs.manifest import last_whole_checkpoint, log_history, told_if_not_written
from hf_grok.runs.record import (
    RunRecord,
    recorded,
    refuse_used_folder,
)

FINAL = "model.safetensors"
LOCK_FILE = ".run.lock"


class Session:
    """Prepares a run, trains it, and leaves a record of how it ended.

    Args:
        settings: what is run.
        resume: go on from the last whole checkpoint in the run's folder.
        branch: the checkpoint of another run to begin from. A branch that is resumed knows it.
        other_processes: resume even with another number of processes; the record will say so.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        resume: bool = False,
        branch: Branch | None = None,
        other_processes: bool = False,
    ) -> None:
        self.settings, self.resume = settings, resume
        self.other_processes = other_processes
        self.folder = Path(str(settings.training.output_dir))
        self.branch = resumed_branch(self.folder, branch) if resume else branch
        self.record = RunRecord(self.folder)
        self.leads = settings.training.process_index == 0

    def train(self) -> Path:
        """Train to the end; whatever stops the run before is in its record, and raised."""
        if not self.resume and self.leads:
            refuse_used_folder(self.folder)
        check_settings(self.settings)
        if self.branch is not None:
            check_branch(self.branch, self.settings)
        if self.leads:
            check_writable(self.folder, "choose another one with --output_dir")
        before = recorded(self.folder) if self.resume else None
        language, trainer, threads = self._prepare()
        info = self._information(language, trainer, threads)
        if before is not None:
            check_same_run(self.folder, before, info, self.settings, self.other_processes)
        if before is not None and is_done(self.folder, before, info):
            self.say(f"{self.folder} is finished at step {before['steps']}: nothing is left to do")
        elif self.leads:
            self.folder.mkdir(parents=True, exist_ok=True)
            with taken(
                self.folder / LOCK_FILE, f"{self.folder} is being trained by another process"
            ):
                self._train(trainer, info, before or {})
        else:
            self._train(trainer, info, before or {})
        trainer.accelerator.wait_for_everyone()  # a rank that leaves early takes the others down
        trainer.end()
        return self.folder

    def _information(
        self, language: LanguageData, trainer: GrokTrainer, threads: int
    ) -> dict[str, Any]:
        """What run.json will say; for a branch, once it is sure that it goes on from its parent."""
        info = run_information(self.settings, language, trainer, threads)
        if self.branch is not None:
            check_same_setting(self.branch, info)
            info["parent"] = parent_record(self.branch, info)
            if self.branch.reset_optimizer:
                trainer.forget_moments_of = self.branch.checkpoint
        return info

    def _train(self, trainer: GrokTrainer, info: dict[str, Any], before: dict[str, Any]) -> None:
        checkpoint = trainer.gone_on_from = self._checkpoint()
        step = step_of(checkpoint) if checkpoint else -1
        if before:
            info["resumed"] = changed_since(before, info, max(step, 0))
        if self.leads:
            self._begin(info, checkpoint)
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            with told_if_not_written(self.folder / FINAL, trainer.last_kept):
                save_final_model(trainer, self.folder)
        except BaseException as error:
            if self.leads:
                self.record.finish("failed", reason=str(error) or type(error).__name__)
            raise
        if self.leads:
            steps = trainer.state.global_step
            self.record.finish("finished", steps=steps, final_weights=final_weights(self.folder))
            self.say(closing(self.folder, steps))

    def _begin(self, info: dict[str, Any], checkpoint: Path | None) -> None:
        """The run's record and its tables up to `checkpoint`.

        The record comes first: a branch that is stopped between the two knows where it began.
        """
        self.record.start(info)
        if self.branch is not None and checkpoint == self.branch.checkpoint:
            inherit_tables(self.branch, self.folder)
        self.record.rewind(() if checkpoint is None else log_history(checkpoint))
        self.say(opening(info))

    def say(self, text: str) -> None:
        """Print for the user, on process zero."""
        if self.leads:
            print(text, file=sys.stderr, flush=True)

    def _prepare(self) -> tuple[LanguageData, GrokTrainer, int]:
        training = self.settings.training
        training.bf16 = choose_precision(training.precision, training.device) == "bf16"
        # What accelerate reads; TrainingArguments has derived it already, from bf16 alone.
        training.mixed_precision = "bf16" if training.bf16 else "no"
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        language = self._data()
        for told in told_of_arcs(language.train.arcs, training.sas_arcs):
            self.say(told)
        if self.settings.left_out:
            self.say(
                f"{self.settings.model.model} has nothing like the recipe's "
                f"{', '.join(self.settings.left_out)}: left out"
            )
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

    def _data(self) -> LanguageData:
        """What the run reads: of a language, or of a corpus."""
        data, training = self.settings.data, self.settings.training
        self.say(f"preparing {data.language or ' '.join(data.data)}")
        options: dict[str, Any] = {
            "masked": is_masked(self.settings.model.model),
            "seed": data_seed(training),
            "with_arcs": not training.penalty_schedule().is_off,
            "with_sham": training.sas_arcs != "syntactic",
        }
        if not data.data:
            quiet = training.disable_tqdm or not self.leads
            return load_language(data, quiet=quiet, **options)
        from hf_grok.recipes.corpus.load import load_corpus, told_of_corpus

        corpus = load_corpus(data, self.settings.probes, **options)
        training.sas_scheme = corpus.annotation["training"]
        training.sas_evaluation_scheme = corpus.annotation["evaluation"]
        for told in told_of_corpus(corpus):
            self.say(told)
        return corpus

    def _checkpoint(self) -> Path | None:
        """Where training begins: None for the beginning."""
        found = last_whole_checkpoint(self.folder, self.say) if self.resume else None
        if found is not None and step_of(found) > 0:
            self.say(f"resuming from {found}")
            return found
        if found is not None and self.branch is None:
            self.say(f"{found} is where the run began: starting from the beginning")
        elif self.resume:
            start = "the beginning" if self.branch is None else "where it branched off"
            self.say(f"{self.folder} has no whole checkpoint: starting from {start}")
        if self.branch is None:
            return None
        self.say(f"branching off {self.branch.checkpoint}")
        return self.branch.checkpoint
