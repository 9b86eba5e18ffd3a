"""What a regularised run refuses: before it starts, and as it goes."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

from torch import nn

from hf_grok.errors import UserError
from hf_grok.run_files import checkpoints

# Steps without one arc after which the annotation cannot be what was meant.
STEPS_WITHOUT_ARCS = 100
# A nat above a uniform guess is e times its perplexity: no fresh model starts there.
MARGIN = 1.0


class LanguageModelDivergedError(UserError):
    """The language model got worse than guessing while attention was promoted."""


def check_one_device(gpus: int) -> None:
    """Refuse several GPUs in one process, each of which would see a part of the arcs.

    Raises:
        UserError: there are several.
    """
    if gpus > 1:
        raise UserError(
            f"{gpus} GPUs in one process would each see a part of the arcs: start one process a "
            "GPU (accelerate launch, torchrun), or show it one (CUDA_VISIBLE_DEVICES=0)"
        )


def check_counted_loss(trainer: Any) -> None:
    """Refuse a loss that Trainer takes for one over the whole batch and that is not.

    Some heads of the library (BERT's) average over the micro-batch and yet take the number of
    items, so Trainer does not divide: their loss grows with accumulation and processes, and the
    weight of the regulariser against it would shrink.

    Raises:
        UserError: it is such a loss, and the batch is cut up.
    """
    several = trainer.args.gradient_accumulation_steps * trainer.accelerator.num_processes > 1
    own = trainer.compute_loss_func is not None or trainer.label_smoother is not None
    if several and not own and trainer.model_accepts_loss_kwargs and not _counts(trainer.model):
        raise UserError(
            f"the loss of {type(trainer.model).__name__} is a mean over each micro-batch that "
            "Trainer takes for one over the whole batch: it would grow with accumulation and "
            "processes. Pass compute_loss_func=hf_grok.sas.token_mean_loss to the trainer"
        )


def _counts(model: nn.Module) -> bool:
    """Whether the model's head computes its loss by the library's loss functions, which count."""
    return "loss_function" in inspect.getsource(type(model).forward)


def check_arcs_seen(arcs: float | None, step: int, relations: str) -> None:
    """Refuse to go on with a regulariser that has nothing to act on.

    Args:
        arcs: in the batches since the last line of the log; None where lambda was 0.
        step: of the run.
        relations: the setting `sas_relations`.

    Raises:
        UserError: there was none, a while into the run.
    """
    if arcs == 0 and step >= STEPS_WITHOUT_ARCS:
        raise UserError(
            f"not one arc in the batches up to step {step}: are the rows parsed, and do "
            f"sas_relations={relations!r} occur in them?"
        )


def check_still_a_language_model(
    loss: float, *, vocabulary: int, step: int, schedule: str, folder: Path
) -> None:
    """LM loss <= ln(vocabulary) + 1: above, promotion has won over the language model.

    R is bounded and the LM loss is not, so a lambda far below 0 can make the sum fall while the
    model unlearns its language.

    Raises:
        LanguageModelDivergedError: names the last checkpoint, written before.
    """
    guess = math.log(vocabulary)
    if loss <= guess + MARGIN:
        return
    kept = checkpoints(folder)
    last = f"The last checkpoint is {kept[-1]}." if kept else "No checkpoint was saved yet."
    raise LanguageModelDivergedError(
        f"the LM loss is {loss:.2f} at step {step}, a nat above that of a uniform guess "
        f"({guess:.2f}): promoting attention on arcs ({schedule}) has won over the language model. "
        f"{last} Take a lambda nearer to 0."
    )
