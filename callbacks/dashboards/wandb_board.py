"""Weights & Biases, with tables and pictures, and one curve for a run that was resumed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerState, TrainingArguments
from transformers.integrations import WandbCallback

from hf_grok.callbacks.dashboards.board import Board, keep_known, known_as, run_name
from hf_grok.callbacks.dashboards.tables import Table

if TYPE_CHECKING:
    from PIL.Image import Image

STEP = "train/global_step"  # on the axis of every chart, by transformers' define_metric


class WandbBoard(WandbCallback, Board):
    """transformers' callback, but for tables, pictures and which run is gone on with.

    A resumed run goes on under its id (`wandb.init(id=..., resume="allow")`), and steps that W&B
    has already are not sent again. A run that the caller opened (`wandb.run`) is used as it is.
    """

    library = "wandb"

    def __init__(self) -> None:
        super().__init__()
        self._last = -1

    @property
    def is_open(self) -> bool:
        """Whether W&B has been told of a run."""
        return bool(self._initialized)

    def begin(
        self, args: TrainingArguments, state: TrainerState, control: Any, **named: Any
    ) -> None:
        """Begin a run, or go on with it."""
        folder = Path(str(args.output_dir))
        known = known_as(folder, self.library) if state.global_step else None
        if known is not None and self._wandb.run is None:
            project = os.getenv("WANDB_PROJECT", "huggingface")
            name = run_name(args, state)
            self._wandb.init(project=project, name=name, id=known, resume="allow")
        self.on_train_begin(args, state, control, **named)
        keep_known(folder, self.library, self._wandb.run.id)
        self._last = int(self._wandb.run.summary.get(STEP, -1)) if known is not None else -1

    def show_numbers(self, numbers: Mapping[str, Any], step: int) -> None:
        """One row, with the step beside it."""
        self._send(numbers, step)

    def show_totals(self, totals: Mapping[str, Any], step: int) -> None:
        """Into the run's summary, where transformers puts them."""
        for name, value in totals.items():
            self._wandb.run.summary[name] = value

    def show_table(self, table: Table, step: int) -> None:
        """A W&B Table."""
        rows = list(map(list, table.rows))
        self._send({table.name: self._wandb.Table(columns=list(table.columns), data=rows)}, step)

    def show_picture(self, name: str, image: Image, step: int) -> None:
        """A W&B Image."""
        self._send({name: self._wandb.Image(image, caption=f"step {step:,}")}, step)

    def _send(self, values: Mapping[str, Any], step: int) -> None:
        if step > self._last:
            self._wandb.log({**values, STEP: step})
