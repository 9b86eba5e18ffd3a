"""trackio, TensorBoard and W&B of any Trainer: few charts, the right steps, tables and pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.integrations import TensorBoardCallback, TrackioCallback, WandbCallback
from transformers.utils import logging

from hf_grok._isolated import Isolated
from hf_grok.callbacks.dashboards.board import Board
from hf_grok.callbacks.dashboards.console import make_brief
from hf_grok.callbacks.dashboards.shown import TOTALS, charts, check_detail, shown
from hf_grok.callbacks.dashboards.tables import Table, round_tables
from hf_grok.callbacks.dashboards.tensorboard_board import TensorBoardBoard
from hf_grok.callbacks.dashboards.trackio_board import TrackioBoard
from hf_grok.callbacks.dashboards.wandb_board import WandbBoard
from hf_grok.callbacks.probing import Round, probes_of, probing_callbacks
from hf_grok.callbacks.trainer_facts import best_metric
from hf_grok.errors import UserError
from hf_grok.measurement.guard import generators_kept

if TYPE_CHECKING:
    from PIL.Image import Image

logger = logging.get_logger(__name__)

BOARDS: Mapping[type[TrainerCallback], Callable[[], Board]] = {
    TrackioCallback: TrackioBoard,
    TensorBoardCallback: TensorBoardBoard,
    WandbCallback: WandbBoard,
}


class DashboardCallback(TrainerCallback):
    """The dashboards that `report_to` names, fit for runs that are probed.

    It takes the place of transformers' callbacks for trackio, TensorBoard and W&B, and leaves all
    that is set in TrainingArguments and their environment variables as it is. What differs:

    - the axis is `state.global_step`, in every row;
    - charts are few: of the numbers of probes those that a report draws, and the one of
      `metric_for_best_model`. `log_history`, and the metrics that `evaluate` returns, have all;
    - each round of probes leaves its tables (UAS by relation, minimal pairs by paradigm, ...) and,
      where matplotlib is installed, its pictures (projected trees, attention of the best heads);
    - a resumed run goes on where it was, without steps that are there twice.

    The console prints the same few numbers. A dashboard that fails is left out from then on, with
    one message: it neither ends nor changes a run. `ProbeCallback` adds this callback by itself.

    Args:
        trainer: whose `report_to` it is.
        probe_detail: "headlines", or "all" for a chart of every number of every probe.
        pictures: draw them: a quarter of a second of one core, a round.

    Raises:
        UserError: another `probe_detail`; a trainer that reports to none of the three.

    Example:
        >>> args = TrainingArguments("run", report_to="tensorboard")
        >>> trainer = Trainer(model, args, train_dataset=rows)
        >>> trainer.add_callback(DashboardCallback(trainer, probe_detail="all"))
    """

    def __init__(
        self, trainer: Trainer, *, probe_detail: str = "headlines", pictures: bool = True
    ) -> None:
        self.probe_detail, self.pictures = check_detail(probe_detail), pictures
        self._trainer = trainer
        self._boards = take_boards(trainer)
        if not self._boards:
            raise UserError(
                f"this trainer reports to no dashboard (report_to={trainer.args.report_to!r}): "
                "name trackio, tensorboard or wandb in report_to of TrainingArguments"
            )
        self._seen: list[Round] = []
        self._stepped = False
        self._step, self._at_step = -1, set[str]()
        make_brief(trainer, self._few)

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Begin, or go on with, the run in each dashboard.

        What was evaluated before the first step belongs to the run. One that is under way from step
        0 again (`auto_find_batch_size`, a second `train()`) is another.
        """
        another = self._stepped
        self._tell(
            state,
            lambda board: (
                board.begin(args, state, control, **kwargs)
                if another or not board.is_open
                else None
            ),
        )
        if another:
            self._step, self._stepped = -1, False

    def on_step_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Remember that the run has begun."""
        self._stepped = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Show what is shown of the row, and what else its round of probes left."""
        row, step = logs or {}, state.global_step
        self._open(args, state, control, **kwargs)
        totals = {name: value for name, value in row.items() if name in TOTALS}
        curves = {name: value for name, value in row.items() if name not in TOTALS}
        numbers = self._once(charts(self._few(curves), probes_of(self._trainer)), step)
        self._tell(state, lambda board: board.show_numbers(numbers, step))
        if totals:
            self._tell(state, lambda board: board.show_totals(totals, step))
        if state.is_world_process_zero and self._boards:
            for one in self._new_rounds():
                self._show_round(state, one)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """As transformers' callbacks do."""
        self._tell(state, lambda board: board.on_save(args, state, control, **kwargs))

    def on_predict(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **kwargs: Any,
    ) -> None:
        """Show them under the step; of probes there are none."""
        self._open(args, state, control, **kwargs)
        numbers, step = charts(metrics, ()), state.global_step
        self._tell(state, lambda board: board.show_numbers(numbers, step))

    def on_push_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """As transformers' callbacks do."""
        self._tell(state, lambda board: board.on_push_begin(args, state, control, **kwargs))

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """As transformers' callbacks do."""
        self._tell(state, lambda board: board.on_train_end(args, state, control, **kwargs))

    def _open(
        self, args: TrainingArguments, state: TrainerState, control: Any, **named: Any
    ) -> None:
        """What comes before training, or after it, belongs to a run too."""
        self._tell(
            state,
            lambda board: None if board.is_open else board.begin(args, state, control, **named),
        )

    def _once(self, numbers: Mapping[str, Any], step: int) -> dict[str, Any]:
        """What the step's rows have not said yet, as each of them has the epoch."""
        if step != self._step:
            self._step, self._at_step = step, set()
        fresh = {name: value for name, value in numbers.items() if name not in self._at_step}
        self._at_step |= fresh.keys()
        return fresh

    def _few(self, row: Mapping[str, Any]) -> dict[str, Any]:
        named = best_metric(self._trainer.args)
        return shown(row, probes_of(self._trainer), self.probe_detail, {named})

    def _new_rounds(self) -> list[Round]:
        latest = [one.latest for one in probing_callbacks(self._trainer)]
        fresh = [one for one in latest if one is not None and not any(one is s for s in self._seen)]
        self._seen = [one for one in latest if one is not None]
        return fresh

    def _show_round(self, state: TrainerState, one: Round) -> None:
        for table in round_tables(one.probed.numbers, probes_of(self._trainer)):
            self._tell(state, partial(_show_table, table=table, step=one.step))
        for name, image in self._drawn(one).items():
            self._tell(state, partial(_show_picture, name=name, image=image, step=one.step))

    def _drawn(self, one: Round) -> dict[str, Image]:
        """The pictures of a round; none, with a message, where they cannot be drawn."""
        if not self.pictures:
            return {}
        with generators_kept(), Isolated() as block:
            from hf_grok.report.figures.probe_round import round_images

            return round_images(one.probed.pictures, one.step)
        logger.warning(f"dashboards are without pictures from here on: {block.failure}")
        self.pictures = False
        return {}

    def _tell(self, state: TrainerState, action: Callable[[Board], object]) -> None:
        """Do it for every dashboard; one that fails is told nothing more."""
        if not state.is_world_process_zero:
            return
        for board in list(self._boards):
            with generators_kept(), Isolated() as block:
                action(board)
            if block.failure is not None:
                self._boards.remove(board)
                logger.error(
                    f"{board.library} is left out from step {state.global_step} on: "
                    f"{block.failure}. The run goes on, and its log_history has every number"
                )


def _show_table(board: Board, *, table: Table, step: int) -> None:
    board.show_table(table, step)


def _show_picture(board: Board, *, name: str, image: Image, step: int) -> None:
    board.show_picture(name, image, step)


def take_boards(trainer: Trainer) -> list[Board]:
    """Boards in the place of a trainer's own callbacks, and of an earlier DashboardCallback."""
    boards: list[Board] = []
    for one in list(trainer.callback_handler.callbacks):
        if isinstance(one, DashboardCallback):
            boards += one._boards
            trainer.remove_callback(one)
        elif type(one) in BOARDS:
            boards.append(BOARDS[type(one)]())
            trainer.remove_callback(one)
    return boards


def bring_dashboards(trainer: Trainer, probe_detail: str) -> None:
    """Few numbers on the console of a trainer and in its dashboards, unless it has said how.

    Raises:
        UserError: another `probe_detail` than "headlines" and "all".
    """
    check_detail(probe_detail)
    callbacks = trainer.callback_handler.callbacks
    if any(isinstance(one, DashboardCallback) for one in callbacks):
        return
    if any(type(one) in BOARDS for one in callbacks):
        trainer.add_callback(DashboardCallback(trainer, probe_detail=probe_detail))
        return

    def few(row: Mapping[str, Any]) -> dict[str, Any]:
        return shown(row, probes_of(trainer), probe_detail, {best_metric(trainer.args)})

    make_brief(trainer, few)
