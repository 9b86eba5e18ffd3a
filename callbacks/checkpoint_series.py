"""Every saved step becomes a revision of its own on the Hub, and none is lost on the way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import get_token, is_offline_mode
from safetensors import SafetensorError
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.utils import logging

from hf_grok.callbacks.data_facts import describe_data
from hf_grok.callbacks.published_config import (
    is_our_model,
    published_config,
    published_config_with_code,
)
from hf_grok.callbacks.series_of_a_run import (
    epoch_of_run,
    export_model,
    present_values,
    refuse_search,
    refuse_sharded,
    refuse_unknown_amount,
    strength_before,
)
from hf_grok.errors import UserError
from hf_grok.runs.about import about_training, note_runtime, write_about
from hf_grok.runs.epochs import Epoch, Seen
from hf_grok.runs.notes import read_about
from hf_grok.series.errors import SeriesError
from hf_grok.series.hub.background import BackgroundPusher
from hf_grok.series.hub.pusher import Pusher
from hf_grok.series.hub.repository import SeriesHub, check_repository_name
from hf_grok.series.local.journal import State
from hf_grok.series.local.safety import mask_tokens
from hf_grok.series.naming import DEFAULT_TEMPLATE, RevisionTemplate
from hf_grok.series.run_series import RunSeries

logger = logging.get_logger(__name__)

_EXPORT = ".step0.export"


class CheckpointSeriesCallback(TrainerCallback):
    """Each checkpoint that Trainer saves becomes branch `step{N}`; `main` follows the last one.

    Works on any `transformers.Trainer`. A step is written into a journal and set aside in
    `output_dir/series` before training goes on, so that no later save, rotation, crash or outage
    can touch what waits; pushing happens in the background, in order, within the Hub's limits.
    Training neither fails nor waits for it, but for at most `wait_seconds` at its end. Step 0 is
    saved too. Offline, or without a token, the series is set aside all the same, and
    `hf-grok push OUTPUT_DIR REPO` publishes it later.

    Args:
        repo_id: "name" or "user/name"; made at the first push.
        revision: how branches are called: "step{step}", or by the words or tokens seen, as
            "chck_{words}": chck_1M is the step that passes a million.
        seen: "words" or "tokens" -> how many the run has seen, as a function of the step; for a
            `revision` that names steps by them.
        private: make the repository private, and refuse to push to a public one.
        tags: also pin each step with a tag.
        optimizer: publish optimizer.pt and scheduler.pt too. They are pickles: whoever loads them
            must trust you.
        ship_code: revisions of the vanilla transformer carry its code, so that it loads where this
            package is not installed, for those who pass trust_remote_code=True. Classes of
            transformers need none and get none.
        folder: where the series is kept; by default the run's `output_dir`.
        token: for the Hub; by default the environment's or the one of `hf auth login`.
        wait_seconds: longest wait at the end of training.
        step_zero: save the model before training.
        train_dataset: the one that Trainer was given, for its fingerprint on the card. The rest of
            what a data set says of itself is found without it.

    Raises:
        UserError: a repository or a template that the Hub would not take, or a template of words
            or tokens that `seen` does not tell. When training begins: a
            hyperparameter search, whose trials would share one series.

    Example:
        >>> trainer.add_callback(CheckpointSeriesCallback("my-series"))
    """

    def __init__(
        self,
        repo_id: str,
        *,
        revision: str = DEFAULT_TEMPLATE,
        seen: Seen | None = None,
        private: bool = True,
        tags: bool = False,
        optimizer: bool = False,
        ship_code: bool = False,
        folder: str | Path | None = None,
        token: str | None = None,
        wait_seconds: float = 300.0,
        step_zero: bool = True,
        train_dataset: Any = None,
    ) -> None:
        if wait_seconds < 0:
            raise UserError(f"wait_seconds={wait_seconds}: expected seconds from 0 on")
        self.repo_id = check_repository_name(repo_id)
        self.template, self._seen = RevisionTemplate(revision), seen or {}
        refuse_unknown_amount(self.template, self._seen)
        self.private, self.tags, self.optimizer = private, tags, optimizer
        self.wait_seconds, self.step_zero = wait_seconds, step_zero
        self.ship_code = ship_code
        self._train_dataset = train_dataset
        self._folder = None if folder is None else Path(folder)
        self._token = token
        self._series: RunSeries | None = None
        self._background: BackgroundPusher | None = None
        self._from_the_start = False
        self._epoch: Epoch | None = None
        self._given_up = False

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: nn.Module | None = None,
        processing_class: Any = None,
        train_dataloader: Any = None,
        **kwargs: Any,
    ) -> None:
        """Go on with what an earlier run left, save step 0, begin to push.

        Raises:
            UserError: step 0 cannot be had from this model by one process; `ship_code` with a
                class that is neither of transformers nor ours; a hyperparameter search.
        """
        refuse_search(state)
        again = self._series is not None and state.global_step == 0 and args.auto_find_batch_size
        self._given_up = False
        self._from_the_start = state.global_step == 0
        adds_code = not self.ship_code or model is None or is_our_model(model)
        if not state.is_world_process_zero:
            return
        if self.step_zero and state.global_step == 0:
            refuse_sharded(args)
        if not adds_code:
            logger.warning(f"ship_code adds nothing: {type(model).__name__} is of transformers")
        if again:
            self._guarded(self._begin_again)
        self._guarded(lambda: self._go_on(args, state, model, train_dataloader))
        if self.step_zero and state.global_step == 0 and model is not None and not again:
            self._guarded(lambda: self._add_step_zero(args, state, model, processing_class))
        self._begin_pushing()

    def on_save(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Write the step into the journal and set it aside."""
        if not state.is_world_process_zero or self._given_up:
            return
        step = state.global_step
        checkpoint = Path(str(args.output_dir)) / f"checkpoint-{step}"
        series = self._of(args)
        self._guarded(lambda: self._catch_up(args, step - 1))
        self._guarded(
            lambda: series.add(step, checkpoint, present_values(args, state, self._epoch))
        )
        if self._background is not None:
            self._background.wake()

    def on_train_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Wait a bounded time for what is on its way, then say what is left and how to finish."""
        if not state.is_world_process_zero:
            return
        self._guarded(lambda: self._catch_up(args, state.global_step))
        if self._from_the_start:
            self._guarded(lambda: note_runtime(self._of(args).run, state.log_history))
        if self._background is not None:
            self._background.finish(self.wait_seconds)
            self._background = None
        self._guarded(lambda: self._say_how_it_stands(args))
        self._series = None

    def _of(self, args: TrainingArguments) -> RunSeries:
        if self._series is None:
            self._series = RunSeries(
                self._folder or Path(str(args.output_dir)),
                self.template,
                seen=self._seen,
                optimizer=self.optimizer,
                fix=published_config_with_code if self.ship_code else published_config,
                say=logger.warning,
            )
        return self._series

    def _go_on(
        self, args: TrainingArguments, state: TrainerState, model: nn.Module | None, loader: Any
    ) -> None:
        series = self._of(args)
        series.check()
        self._epoch, why = epoch_of_run(args, state, loader, read_about(series.run))
        if self._epoch is None:
            logger.warning(f"data_position, the examples read by each step, is not known: {why}")
        if model is not None:
            about = about_training(
                args,
                parameters=sum(parameter.numel() for parameter in model.parameters()),
                threads=torch.get_num_threads(),
                epoch=self._epoch,
                data=self._data(args, loader),
            )
            write_about(series.run, json.loads(self._masked(json.dumps(about))))
        series.recover()
        series.agree_on_code()
        if state.global_step > 0:
            series.adopt(
                Path(str(args.output_dir)), state.global_step, logger.error, strength_before(args)
            )

    def _data(self, args: TrainingArguments, loader: Any) -> dict[str, Any]:
        if self._train_dataset is not None:
            return describe_data(self._train_dataset)
        if loader is None:
            return {}
        return describe_data(loader.dataset, as_given=not args.remove_unused_columns)

    def _begin_again(self) -> None:
        """Trainer found no memory for its batch, and begins again with a smaller one.

        It counts from step 0 and goes on from the weights that it had come to.
        """
        logger.warning(
            "training begins again at step 0 with a smaller batch, from the weights that it had "
            "come to: step0 of the series keeps those before any training"
        )
        stopped = self._background is None or self._background.halt(self.wait_seconds)
        self._background = None
        self._given_up = True
        if not stopped:
            raise SeriesError("a push is still under way: the series ends with what is on the Hub")
        if self._series is not None:
            self._series.give_up_attempt()
        self._given_up = False

    def _catch_up(self, args: TrainingArguments, last: int) -> None:
        """Set aside what could not be when it was saved, where its checkpoint is still there."""
        series = self._of(args)
        if series.journal.in_state(State.SAVED):
            series.adopt(Path(str(args.output_dir)), last, logger.error, strength_before(args))

    def _add_step_zero(
        self, args: TrainingArguments, state: TrainerState, model: nn.Module, tokenizer: Any
    ) -> None:
        series = self._of(args)
        export = series.folder / _EXPORT
        try:
            export_model(model, tokenizer, export)
            series.add(0, export, present_values(args, state, self._epoch))
        finally:
            shutil.rmtree(export, ignore_errors=True)

    def _begin_pushing(self) -> None:
        if self._series is None or self._background is not None or self._given_up:
            return
        if is_offline_mode() or (self._token or get_token()) is None:
            why = "offline" if is_offline_mode() else "no token"
            logger.warning(f"{why}: the series is set aside in {self._series.folder}, not pushed")
            return
        privacy = "private" if self.private else "public"
        logger.warning(f"checkpoints go to {self.repo_id} on the Hub ({privacy}) as they are saved")
        pusher = Pusher(
            self._series,
            SeriesHub(self.repo_id, private=self.private, token=self._token),
            tags=self.tags,
            token=self._token or get_token(),
            info=logger.info,
            warn=logger.warning,
        )
        self._background = BackgroundPusher(pusher, logger.error)
        self._background.wake()

    def _say_how_it_stands(self, args: TrainingArguments) -> None:
        series = self._of(args)
        records = series.journal.records().values()
        waiting = [r.revision for r in records if r.state in (State.SAVED, State.STAGED)]
        for record in records:
            if record.state is State.REFUSED:
                logger.error(f"{record.revision} is not in the series: {record.reason}")
        if waiting:
            named = self.template.text
            options = " --ship-code" * self.ship_code
            options += f" --revision-template '{named}'" if named != DEFAULT_TEMPLATE else ""
            logger.warning(
                f"not on the Hub yet: {', '.join(waiting)}. To finish: "
                f"hf-grok push {series.run} {self.repo_id}{options}"
            )

    def _guarded(self, action: Callable[[], object]) -> None:
        """Do it; what goes wrong is logged, and training goes on."""
        try:
            action()
        except (UserError, OSError, RuntimeError, SafetensorError) as error:
            logger.error(self._masked(str(error)))

    def _masked(self, text: str) -> str:
        return mask_tokens(text, self._token or get_token())
