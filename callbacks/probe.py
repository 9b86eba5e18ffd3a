"""Probes at every evaluation of any Trainer, leaving no trace in the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import Trainer, TrainerControl, TrainerState, TrainingArguments
from transformers.utils import logging

from hf_grok.callbacks.dashboard import bring_dashboards
from hf_grok.callbacks.probe_checks import check_best_model, check_names, check_whole
from hf_grok.callbacks.probe_numbers import (
    EvaluationRounds,
    is_round_of,
    logged_numbers,
    picture_rows,
    rows_at,
)
from hf_grok.callbacks.probing import ProbingCallback, Round
from hf_grok.callbacks.trainer_facts import (
    RUN_TOTALS,
    best_metric,
    holds_best_model,
    run_folder,
    sums_all_metrics,
)
from hf_grok.errors import UserError
from hf_grok.evaluation.runner import ProbeFailedError, run_probes
from hf_grok.metrics import recordable
from hf_grok.probes import build_probes
from hf_grok.probes.registry import Asked, refuse_same_names
from hf_grok.runs.folder import DECLARED_FILE, PROBES_FILE, write_json
from hf_grok.runs.json_lines import append_row, keep_rows
from hf_grok.text.json_reading import read_object

logger = logging.get_logger(__name__)


class ProbeCallback(ProbingCallback):
    """Run probes once per evaluation round, at step 0 and at the last step too.

    A run with probes ends with the same weights, bit for bit, as one without. Their numbers go
    where evaluations go: `log_history` and the reporters as `eval_<number>`, the metrics that
    `metric_for_best_model` chooses from, the run's own table. Every rank takes its fraction of the
    items and has the same numbers; process zero writes. Pictures (projected trees, attention of
    the best heads) and failures go to `probes.jsonl` in `output_dir` (in a hyperparameter search,
    in the trial's own folder), which `hf-grok report` draws.

    A round is one call of `trainer.evaluate`, over however many data sets; where it evaluates
    several, the numbers come with the first. Callbacks that look at the metrics themselves, such as
    `EarlyStoppingCallback`, must be added after this one.

    What is logged at a step is measured on the weights of that step. The last step is probed before
    Trainer puts the best checkpoint in its place (`load_best_model_at_end`); an `evaluate()` after
    that returns the best model's numbers and logs none of them. Which steps have been probed
    follows from `log_history`, so a second `train()`, a resumed run, a restart after
    `auto_find_batch_size` and each trial of a search have every step once, step 0 included: the
    weights with which that `train()` began.

    In a hyperparameter search whose objective is Trainer's own (the sum of all metrics), no number
    of a probe enters it, but for the one that `metric_for_best_model` names. An objective of your
    own finds them all.

    The console and the dashboards of `report_to` show the numbers that a report draws, and the
    latter the tables and pictures of each round (`DashboardCallback`, which is added for them).

    Args:
        trainer: whose model is probed; a callback is not told its trainer otherwise.
        probes: probes, their classes, or names of `hf_grok.probes.registry` ("uas", "tree", ...);
            one alone needs no list.
        data: rows for the probes that are named (a `datasets.Dataset`, a `Treebank` or a list of
            dicts), or probe name -> rows. Probes of the weights alone need none. Of a language's
            `DatasetDict` a behaviour ("question_formation", ...) measures both splits, as
            `eval_in_distribution_accuracy` and `eval_generalization_accuracy` and their parts.
        every: rounds are probed at steps that are multiples of this, and first and last.
        stop_on_failure: stop the run at a probe's failure instead of recording it and going on.
        probe_detail: "headlines", or "all" to show every number on console and dashboards too.

    Raises:
        UserError: no probe, an unknown one, no rows or such as do not fit, no tokenizer, `every`
            below 1, another `probe_detail`. When training begins: a model sharded over processes,
            which none of them has whole; a `metric_for_best_model` that `every` leaves out of some
            evaluations, or whose worst model `greater_is_better` would keep; two callbacks with a
            probe of the same name.

    Example:
        >>> trainer.add_callback(ProbeCallback(trainer, probes=["uas", "tree"], data=rows))
    """

    def __init__(
        self,
        trainer: Trainer,
        probes: Asked | Iterable[Asked],
        data: Any = None,
        *,
        every: int = 1,
        stop_on_failure: bool = False,
        probe_detail: str = "headlines",
    ) -> None:
        if every < 1:
            raise UserError(f"every={every}: expected a number of steps from 1 on")
        if not isinstance(trainer, Trainer):
            raise UserError(f"ProbeCallback's first argument is the Trainer, not {trainer!r}")
        self.probes = build_probes(probes, data, trainer.processing_class)
        if not self.probes:
            raise UserError("no probes: name at least one, or leave the callback out")
        check_names(self.probes)
        self._trainer, self.every, self.stop_on_failure = trainer, every, stop_on_failure
        self._rounds = EvaluationRounds()
        bring_dashboards(trainer, probe_detail)

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Refuse what cannot be probed; drop the pictures of steps that are not this run's.

        Raises:
            UserError: see the class.
        """
        self._check_run(args, state)
        self._rounds = EvaluationRounds()
        if state.is_world_process_zero:
            steps = {row["step"] for row in state.log_history if is_round_of(self.probes, row)}
            keep_rows(self._file(), lambda row: row.get("step") in steps)
            self._declare()

    def on_step_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Probe step 0 where no evaluation has done so."""
        if state.global_step == 0 and not self._is_probed(state):
            self._probe(state)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Probe once per round, and add the numbers to the round's metrics."""
        metrics = {} if metrics is None else metrics
        if self._rounds.begins(state.global_step, metrics) and self._is_due(state):
            numbers = self._probe(state)
            metrics.update(self._for_the_objective(numbers))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Probe the last step where no evaluation has done so.

        Trainer logs the run's totals after the last evaluation and before it loads the best model,
        and calls nothing in between. They are looked for in the history: other callbacks take what
        they like out of the `logs` that they pass on.
        """
        ends = any(
            row.keys() >= RUN_TOTALS for row in rows_at(state.log_history, state.global_step)
        )
        if ends and self._trainer.is_in_train and not self._is_probed(state):
            self._probe(state)

    def on_train_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """The same for a run that ends without totals, as a trial that a search prunes."""
        if not self._is_probed(state) and not holds_best_model(args, state):
            self._probe(state)

    def _check_run(self, args: TrainingArguments, state: TrainerState) -> None:
        callbacks = self._trainer.callback_handler.callbacks
        others = [one for one in callbacks if isinstance(one, ProbeCallback)]
        refuse_same_names([probe for one in others for probe in one.probes])
        check_whole(self._trainer)
        check_best_model(args, state, self.probes, self.every)

    def _is_probed(self, state: TrainerState) -> bool:
        """Whether this run has probed its present step: its history says so."""
        rows = rows_at(state.log_history, state.global_step)
        return any(is_round_of(self.probes, row) for row in rows)

    def _is_due(self, state: TrainerState) -> bool:
        asked_by_hand = not self._trainer.is_in_train
        last = state.global_step == state.max_steps
        return asked_by_hand or last or state.global_step % self.every == 0

    def _for_the_objective(self, numbers: dict[str, float]) -> dict[str, float]:
        """What of the numbers goes with the metrics that `evaluate` returns."""
        if not sums_all_metrics(self._trainer):
            return numbers
        named = best_metric(self._trainer.args)
        return {name: value for name, value in numbers.items() if name == named}

    def _probe(self, state: TrainerState) -> dict[str, float]:
        """Probe, log, record; the numbers as they are logged.

        After training the trainer may hold the best checkpoint: its numbers are not the step's.
        """
        step, known = state.global_step, self._is_probed(state)
        # Wrapped where it is DataParallel, DDP or compiled; the bare one is the same weights.
        model: Any = self._trainer.model
        probed = run_probes(model, self.probes, self._trainer.accelerator)
        numbers = logged_numbers(probed)
        self.latest = Round(step, probed)
        for name, reason in probed.failures.items():
            logger.error(f"probe {name!r} failed at step {step}: {reason}")
        if self._trainer.is_in_train or not holds_best_model(self._trainer.args, state):
            self._trainer.log(dict(numbers))
            if state.is_world_process_zero and not known:
                self._record(picture_rows(probed, self.probes, step))
        if probed.failures and self.stop_on_failure:
            name, reason = next(iter(probed.failures.items()))
            raise ProbeFailedError(name, reason, f"at step {step}")
        return numbers

    def _record(self, rows: Sequence[Mapping[str, Any]]) -> None:
        path = self._file()
        path.parent.mkdir(parents=True, exist_ok=True)  # a trial's, before its first checkpoint
        for row in rows:
            append_row(path, row)

    def _declare(self) -> None:
        """Keep what other packages' probes say of their numbers, for whoever lacks the package."""
        declared = recordable({n: m for probe in self.probes for n, m in probe.metrics.items()})
        if declared:
            path = run_folder(self._trainer) / DECLARED_FILE
            earlier = read_object(path) if path.is_file() else {}  # of another ProbeCallback
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, {**earlier, **declared})

    def _file(self) -> Path:
        return run_folder(self._trainer) / PROBES_FILE
