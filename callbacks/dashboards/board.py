"""What each dashboard owes: numbers, tables and pictures at a step, and runs that go on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback, TrainerState, TrainingArguments

from hf_grok.callbacks.dashboards.tables import Table
from hf_grok.runs.folder import write_json
from hf_grok.text.json_reading import read_object

if TYPE_CHECKING:
    from PIL.Image import Image

# In output_dir: dashboard -> by what it knows this run, so that a resumed run goes on there.
BOARDS_FILE = "dashboards.json"


class Board(TrainerCallback, ABC):
    """A dashboard of one library, in the place of the library's own callback.

    Subclasses are the library's callback too: what is not said here (a Space, a model card, the
    configuration of the run) is as the library has it.

    Attributes:
        library: as `report_to` has it.
    """

    library: str

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether a run has been begun, and not ended."""

    @abstractmethod
    def begin(
        self, args: TrainingArguments, state: TrainerState, control: Any, **named: Any
    ) -> None:
        """Begin a run at step 0, or go on with the one that this folder has begun."""

    @abstractmethod
    def show_numbers(self, numbers: Mapping[str, Any], step: int) -> None:
        """Points of charts, by the chart's name."""

    @abstractmethod
    def show_table(self, table: Table, step: int) -> None:
        """A table of one round."""

    @abstractmethod
    def show_picture(self, name: str, image: Image, step: int) -> None:
        """A picture of one round."""

    def show_totals(self, totals: Mapping[str, Any], step: int) -> None:
        """What a run logs once, at its end."""


def run_name(args: TrainingArguments, state: TrainerState) -> str:
    """By what people know a run: its name, else that of the trial, else that of its folder."""
    return str(args.run_name or state.trial_name or Path(str(args.output_dir)).resolve().name)


def known_as(folder: Path, library: str) -> str | None:
    """By what a dashboard knows the run in a folder; None if it does not.

    Raises:
        UserError: the file that says so is no JSON object.
    """
    path = folder / BOARDS_FILE
    return read_object(path).get(library) if path.is_file() else None


def keep_known(folder: Path, library: str, name: str) -> None:
    """Write down by what a dashboard knows the run in a folder."""
    path = folder / BOARDS_FILE
    earlier = read_object(path) if path.is_file() else {}
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, {**earlier, library: name})
