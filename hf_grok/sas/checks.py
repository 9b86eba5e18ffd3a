"""What a regularised run refuses: before it starts, and as it goes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.runs.folder import checkpoints
from hf_grok.sas.batches.keys import HEADS, RELATIONS, WORD_OF
from hf_grok.sas.options import CLAMPED, CONTRAST

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


def check_rows_are_not_joined(args: Any) -> None:
    """Refuse arguments by which a Trainer (TRL's) joins rows, and loses their arcs.

    Raises:
        UserError: packing of training or evaluation rows, or batches without padding.
    """
    joined = [
        name for name in ("packing", "eval_packing", "padding_free") if getattr(args, name, False)
    ]
    if joined:
        raise UserError(
            f"{', '.join(f'{name}=True' for name in joined)} joins rows by their tokens alone, and "
            "the arcs of their sentences are lost: pack them with hf_grok.sas.pack_rows(rows, "
            "tokenizer, max_length), which moves the arcs along, and leave this off"
        )


def check_clamp(args: Any) -> None:
    """Refuse a clamped contrast that cannot be had, or that would do nothing.

    Whether R - R_sham of the whole batch is above 0 must be known before the first part of it goes
    backward, and a promotion would have no gradient just where attention is to be promoted.

    Raises:
        UserError: `sas_arcs="contrast-clamped"` with gradient accumulation, or with a negative
            strength.
    """
    if args.sas_arcs != CLAMPED:
        return
    if (parts := args.gradient_accumulation_steps) > 1:
        raise UserError(
            f"sas_arcs={CLAMPED} with gradient_accumulation_steps={parts}: the maximum is that of "
            "the whole batch, which is not known when its first part goes backward. Take the "
            "batch in one part (a greater per_device_train_batch_size, or more processes), or "
            f"sas_arcs={CONTRAST}"
        )
    if args.penalty_schedule().promotes:
        raise UserError(
            f"sas_arcs={CLAMPED} with sas_schedule={args.sas_schedule!r}: max(0, R - R_sham) has "
            "no gradient where R is below R_sham, so a negative strength would promote nothing "
            f"there. Expected strengths from 0 on, or sas_arcs={CONTRAST}"
        )


def check_annotated(batch: Mapping[str, Any]) -> None:
    """Refuse a training batch without arcs.

    Raises:
        UserError: it lacks what `ArcCollator` adds to a batch.
    """
    missing = [name for name in (WORD_OF, HEADS, RELATIONS) if name not in batch]
    if missing:
        raise UserError(
            f"a training batch has {', '.join(map(str, batch))} and no {', '.join(missing)}: "
            "expected the arcs of its sentences beside input_ids. Give the Trainer "
            "data_collator=hf_grok.sas.ArcCollator(tokenizer, ...) and rows with words, heads and "
            "deprels, or of hf_grok.sas.encode_rows"
        )


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
