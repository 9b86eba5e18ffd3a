"""trackio, with the optimiser's steps on its axis."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerState, TrainingArguments
from transformers.integrations import TrackioCallback

from hf_grok.callbacks.dashboards.board import Board, keep_known, known_as, run_name
from hf_grok.callbacks.dashboards.tables import Table

if TYPE_CHECKING:
    from PIL.Image import Image


class TrackioBoard(TrackioCallback, Board):
    """transformers' callback, but for the step, tables, pictures and which run is gone on with.

    trackio counts the calls of `log` where it is told no step. A run that begins has a name that no
    run of its project has, so that nothing is added to another's curves; a resumed one goes on
    under its name, and what trackio has of a step already is not sent again.
    """

    library = "trackio"

    def __init__(self) -> None:
        super().__init__()
        self._sent: set[tuple[int, str]] = set()

    @property
    def is_open(self) -> bool:
        """Whether trackio has been told of a run."""
        return bool(self._initialized)

    def begin(
        self, args: TrainingArguments, state: TrainerState, control: Any, **named: Any
    ) -> None:
        """Begin a run, or go on with it; a run under way from step 0 again is another one."""
        if self._initialized:
            self._trackio.finish()
            self._initialized = False
        folder = Path(str(args.output_dir))
        known = known_as(folder, self.library) if state.global_step else None
        name = known or self._new_name(args, state)
        if known is None:
            keep_known(folder, self.library, name)
        under = copy.copy(args)
        under.run_name = name
        self.setup(under, state, named.get("model"))
        self._sent = self._held(args, name) if known else set()

    def show_numbers(self, numbers: Mapping[str, Any], step: int) -> None:
        """One row, under the step."""
        self._send(numbers, step)

    def show_table(self, table: Table, step: int) -> None:
        """A trackio Table."""
        content = self._trackio.Table(columns=list(table.columns), data=list(map(list, table.rows)))
        self._send({table.name: content}, step)

    def show_picture(self, name: str, image: Image, step: int) -> None:
        """A trackio Image."""
        self._send({name: self._trackio.Image(image, caption=f"step {step:,}")}, step)

    def _send(self, values: Mapping[str, Any], step: int) -> None:
        fresh = {name: value for name, value in values.items() if (step, name) not in self._sent}
        if fresh:
            self._trackio.log(fresh, step=step)

    def _new_name(self, args: TrainingArguments, state: TrainerState) -> str:
        wanted = run_name(args, state)
        if args.trackio_space_id is not None:  # a Space is not asked which names it has
            return f"{wanted}-{time.strftime('%Y%m%d-%H%M%S')}"
        return unused(wanted, self._names(args.project))

    def _names(self, project: str) -> list[str]:
        try:
            return [run.name for run in self._trackio.Api().runs(project)]
        except ValueError:  # there is no such project yet
            return []

    def _held(self, args: TrainingArguments, name: str) -> set[tuple[int, str]]:
        """(step, chart) of what this machine's trackio has of a run."""
        if args.trackio_space_id is not None:
            return set()
        from trackio.sqlite_storage import SQLiteStorage

        rows = SQLiteStorage.get_logs(args.project, name)
        return {(int(row["step"]), chart) for row in rows for chart in row}


def unused(wanted: str, names: Iterable[str]) -> str:
    """`wanted`, or the first of wanted-2, wanted-3, ... that is not among the names."""
    taken = set(names)
    count, name = 1, wanted
    while name in taken:
        count += 1
        name = f"{wanted}-{count}"
    return name
