"""Run by each of two processes: a trajectory as JSON, into the folder that is named."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.sas.trainers import logged, sas_trainer

PARTS = ("loss", "lm_loss", "sas_penalty", "sas_arcs", "grad_norm")
SETTINGS = {"gradient_accumulation_steps": 2, "ddp_find_unused_parameters": False}


def main(folder: str, name: str, arcs: str) -> None:
    trainer = sas_trainer(
        Path(folder), name, sas_arcs=arcs, per_device_train_batch_size=2, **SETTINGS
    )
    trainer.train()
    found = {part: logged(trainer, part) for part in PARTS}
    rank = trainer.args.process_index
    (Path(folder) / f"rank{rank}.json").write_text(json.dumps(found))
    trainer.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
