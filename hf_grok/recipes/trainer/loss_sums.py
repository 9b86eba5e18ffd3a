"""What Trainer adds up between two lines of its log, kept in every checkpoint.

Trainer's own checkpoints do not hold it: resumed between two lines, it would log the mean over the
steps since the checkpoint under the name of the mean over all steps since the last line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from hf_grok.text.json_reading import read_object

if TYPE_CHECKING:
    from hf_grok.recipes.trainer.trainer import GrokTrainer

# Not a pickle: a series publishes no checkpoint that holds one that it does not know.
FILE = "loss_sums.json"


def save_loss_sums(trainer: GrokTrainer, folder: Path) -> None:
    """Write the sums of every rank into a checkpoint, from process zero; every rank must call it.

    Tensors keep their type and JSON every digit, so that a sum goes on to the bit.
    """
    own = {"loss": trainer._tr_loss, **trainer._sas_log.sums()}
    whole = {name: trainer._gather(value.detach().reshape(1)).cpu() for name, value in own.items()}
    if trainer.args.should_save:
        counts = {
            "before": trainer._total_loss_scalar,
            "last_logged": trainer._globalstep_last_logged,
            **trainer._sas_log.counts(),
        }
        sums = {name: [str(each.dtype), each.tolist()] for name, each in whole.items()}
        content = json.dumps({"sums": sums, "counts": counts}, indent=1)
        (folder / FILE).write_text(content + "\n", encoding="utf-8")


def load_loss_sums(trainer: GrokTrainer, folder: Path) -> None:
    """Go on adding where the checkpoint stood; one written without the sums begins at nothing."""
    path = folder / FILE
    if not path.is_file():
        return
    kept: dict[str, dict[str, Any]] = read_object(path)
    counts = kept["counts"]
    sums = {
        name: torch.tensor(values, dtype=getattr(torch, dtype.removeprefix("torch.")))
        for name, (dtype, values) in kept["sums"].items()
    }
    rank, device = trainer.args.process_index, trainer.args.device
    own: dict[str, Tensor] = {
        # With more processes than there were, those without a sum begin at nothing.
        name: (each[rank] if rank < len(each) else torch.zeros_like(each[0])).to(device)
        for name, each in sums.items()
    }
    trainer._tr_loss = own.pop("loss")
    trainer._total_loss_scalar = counts.pop("before")
    trainer._globalstep_last_logged = counts.pop("last_logged")
    trainer._sas_log.go_on(own, counts)
