"""Structural probes at every evaluation of any Trainer, leaving no trace in the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.utils import logging

from hf_grok.errors import UserError
from hf_grok.json_lines import append_row, rewind
from hf_grok.probes import Probe, build_probes
from hf_grok.probing import Probed, run_probes
from hf_grok.record import PROBES_FILE

logger = logging.get_logger(__name__)


class ProbeFailedError(RuntimeError):
    """A probe failed, and the run was told to stop at that."""


class ProbeCallback(TrainerCallback):
    """Run probes once per evaluation round, at step 0 and at the last step too.

    A run with probes ends with the same weights, bit for bit, as one without. Their numbers go
    where evaluations go: `log_history` and the reporters as `eval_<number>`, the metrics that
    `metric_for_best_model` chooses from, the run's own table. Every rank takes its share of the
    items and has the same numbers; process zero writes. Pictures (projected trees, attention of
    the best heads) and failures go to `probes.jsonl` in `output_dir`, which `hf-grok report` draws.

    A round is one call of `trainer.evaluate`, over however many data sets; where it evaluates
    several, the numbers come with the first. Callbacks that look at the metrics themselves, such as
    `EarlyStoppingCallback`, must be added after this one.

    Args:
        trainer: whose model is probed; a callback is not told its trainer otherwise.
        probes: probes, or names of `hf_grok.probes.registry` ("uas", "tree", ...).
        data: rows for the probes that are named (a `datasets.Dataset`, a `Treebank` or a list of
            dicts), or probe name -> rows.
        every: rounds are probed at steps that are multiples of this, and first and last.
        stop_on_failure: stop the run at a probe's failure instead of recording it and going on.

    Raises:
        UserError: no probe, an unknown one, rows that do not fit, `every` below 1.

    Example:
        >>> trainer.add_callback(ProbeCallback(trainer, probes=["uas", "tree"], data=rows))
    """

    def __init__(
        self,
        trainer: Trainer,
        probes: Sequence[Probe | str],
        data: Any = None,
        *,
        every: int = 1,
        stop_on_failure: bool = False,
    ) -> None:
        if every < 1:
            raise UserError(f"every={every}: expected a number of steps from 1 on")
        self.probes = build_probes(probes, data, trainer.processing_class)
        if not self.probes:
            raise UserError("no probes: name at least one, or leave the callback out")
        self._trainer, self.every, self.stop_on_failure = trainer, every, stop_on_failure
        self._last_step: int | None = None
        self._round_keys: set[str] = set()

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Forget what an interrupted run has recorded beyond the step that this one starts from."""
        if state.is_world_process_zero:
            rewind(_file(args), state.global_step if state.global_step else -1)

    def on_step_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Probe step 0 where no evaluation has done so."""
        if state.global_step == 0 and self._last_step is None:
            self._probe(args, state)

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
        if self._is_new_round(state.global_step, metrics) and self._is_due(state):
            metrics.update(self._probe(args, state))

    def on_train_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Probe the last step where no evaluation has done so."""
        if self._last_step != state.global_step:
            self._probe(args, state)

    def _is_due(self, state: TrainerState) -> bool:
        return state.global_step % self.every == 0 or state.global_step == state.max_steps

    def _is_new_round(self, step: int, metrics: Mapping[str, float]) -> bool:
        """Whether these metrics begin a round: another step, or a key that the round has had.

        Of several data sets evaluated in one round each has keys of its own (`eval_<name>_loss`).
        """
        keys = set(metrics) - {"epoch"}  # which Trainer adds to each data set's
        begins = step != self._last_step or not self._round_keys.isdisjoint(keys)
        self._round_keys = keys if begins else self._round_keys | keys
        return begins

    def _probe(self, args: TrainingArguments, state: TrainerState) -> dict[str, float]:
        """Probe, log, record; the numbers as they were logged."""
        self._last_step = state.global_step
        model: Any = self._trainer.model  # the bare one, whatever wraps it in training
        probed = run_probes(model, self.probes, self._trainer.accelerator)
        numbers = logged_numbers(probed)
        self._trainer.log(dict(numbers))
        for name, reason in probed.failures.items():
            logger.error(f"probe {name!r} failed at step {state.global_step}: {reason}")
        if state.is_world_process_zero:
            for row in _rows(probed, self.probes, state.global_step):
                append_row(_file(args), row)
        if probed.failures and self.stop_on_failure:
            name, reason = next(iter(probed.failures.items()))
            raise ProbeFailedError(f"probe {name!r} failed at step {state.global_step}: {reason}")
        return numbers


def logged_numbers(probed: Probed) -> dict[str, float]:
    """The names and plain numbers that a Trainer logs: `eval_` in front, failures as 1.0."""
    return {
        **{f"eval_{name}": float(value) for name, value in probed.numbers.items()},
        **{f"eval_{name}_failed": 1.0 for name in probed.failures},
        "eval_probes_runtime": round(sum(probed.seconds.values()), 4),
    }


def _rows(probed: Probed, probes: Sequence[Probe], step: int) -> list[dict[str, Any]]:
    """What a run's folder keeps beside the numbers: pictures and failures, one row a probe."""
    rows = []
    for probe in probes:
        row: dict[str, Any] = {"step": step, "probe": probe.name, "version": probe.version}
        if probe.name in probed.failures:
            rows.append({**row, "failed": probed.failures[probe.name]})
        elif probe.name in probed.pictures:
            rows.append({**row, "picture": probed.pictures[probe.name]})
    return rows


def _file(args: TrainingArguments) -> Path:
    return Path(str(args.output_dir)) / PROBES_FILE
