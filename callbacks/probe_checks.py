"""What is refused before a run with probes begins."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import Trainer, TrainerState, TrainingArguments

from hf_grok.callbacks.probe_numbers import is_number_of
from hf_grok.callbacks.trainer_facts import best_metric, is_sharded
from hf_grok.errors import UserError
from hf_grok.metrics import metric_of
from hf_grok.probes import Probe

# What Trainer evaluates itself, and tells its best model by.
TRAINERS_OWN = "loss"


def check_names(probes: Sequence[Probe]) -> None:
    """Refuse a probe whose number would take the place of Trainer's own.

    Raises:
        UserError: it would be logged as `eval_loss`.
    """
    for probe in probes:
        if TRAINERS_OWN in probe.metrics:
            raise UserError(
                f"probe {probe.name!r} would log eval_{TRAINERS_OWN}, which is Trainer's own "
                "and chooses its best model: give a probe of another name, such as "
                'hf_grok.probes.tasks.TokenLoss(texts, tokenizer).named("token_loss")'
            )


def check_whole(trainer: Trainer) -> None:
    """Refuse a model that no process has whole.

    Raises:
        UserError: it is sharded over processes.
    """
    if is_sharded(trainer):
        raise UserError(
            "the model is sharded over processes (FSDP, ZeRO stage 3, tensor parallelism), and "
            "probes look at a whole one: leave ProbeCallback out, save checkpoints, and use "
            "hf-grok probe on them"
        )


def check_best_model(
    args: TrainingArguments, state: TrainerState, probes: Sequence[Probe], every: int
) -> None:
    """Refuse a best model by a probe's number that is missing at times, or read the wrong way.

    Raises:
        UserError: `every` leaves evaluations without the number; `greater_is_better` would keep the
            worst model.
    """
    named = best_metric(args)
    if named is None or not any(is_number_of(probe, named) for probe in probes):
        return
    _check_direction(args, named, probes)
    regular = args.eval_strategy == "steps"
    if every > 1 and not (regular and state.eval_steps % every == 0):
        raise UserError(
            f"metric_for_best_model={named!r} is needed at each evaluation, and every="
            f"{every} probes only some of them: leave every out, or set "
            f'eval_strategy="steps" and eval_steps to a multiple of {every}'
        )


def _check_direction(args: TrainingArguments, named: str, probes: Sequence[Probe]) -> None:
    """Refuse to keep the worst model: Trainer takes less for better only of a "...loss"."""
    found = (metric_of(probe.metrics, named.removeprefix("eval_")) for probe in probes)
    better = next((metric.higher_is_better for metric in found if metric is not None), None)
    if better is not None and better != args.greater_is_better:
        where = "higher" if better else "lower"
        raise UserError(
            f"metric_for_best_model={named!r}: {where} is better, and "
            f"greater_is_better={args.greater_is_better} would keep the worst model: set "
            f"greater_is_better={better}"
        )
