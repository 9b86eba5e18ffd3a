"""TensorBoard, with pictures and tables, and one curve for a run that was resumed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from transformers import TrainerState, TrainingArguments
from transformers.integrations import TensorBoardCallback

from hf_grok.callbacks.dashboards.board import Board
from hf_grok.callbacks.dashboards.tables import Table

if TYPE_CHECKING:
    from PIL.Image import Image

FOLDER = "tensorboard"


class TensorBoardBoard(TensorBoardCallback, Board):
    """transformers' callback, but for its folder, pictures, tables and resumed runs.

    Events go to `output_dir/tensorboard` (or TENSORBOARD_LOGGING_DIR), whatever the date and the
    machine. A run that begins, or goes on, at step N tells TensorBoard to forget what the folder
    has of later steps (`purge_step`).
    """

    library = "tensorboard"

    def __init__(self) -> None:
        super().__init__()
        self._purge_step: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether the folder is being written."""
        return self.tb_writer is not None

    def begin(
        self, args: TrainingArguments, state: TrainerState, control: Any, **named: Any
    ) -> None:
        """Open the run's folder."""
        if self.tb_writer is not None:
            self.tb_writer.close()
            self.tb_writer = None
        if "TENSORBOARD_LOGGING_DIR" not in os.environ:
            self.logging_dir = str(Path(str(args.output_dir)) / FOLDER)
        # What was logged at the step of a checkpoint was logged before it.
        self._purge_step = state.global_step + 1 if state.global_step else 0
        self.on_train_begin(args, state, control, **named)

    def _init_summary_writer(self, args: TrainingArguments) -> None:
        self.tb_writer = self._SummaryWriter(log_dir=self.logging_dir, purge_step=self._purge_step)

    def show_numbers(self, numbers: Mapping[str, Any], step: int) -> None:
        """Scalars; texts as texts."""
        for name, value in numbers.items():
            if isinstance(value, str):
                self.tb_writer.add_text(name, value, step)
            else:
                self.tb_writer.add_scalar(name, value, step)
        self.tb_writer.flush()

    def show_table(self, table: Table, step: int) -> None:
        """As text: TensorBoard has no tables."""
        self.tb_writer.add_text(table.name, table.as_markdown(), step)

    def show_picture(self, name: str, image: Image, step: int) -> None:
        """An image."""
        self.tb_writer.add_image(name, np.asarray(image), step, dataformats="HWC")
