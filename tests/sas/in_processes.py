"""Everything whose numbers must not depend on the number of processes: run by each of them.

    python -m torch.distributed.run --nproc_per_node 3 -m tests.sas.in_processes FOLDER

writes what each found as FOLDER/rankN.json; `everything` gives the same in one process.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from transformers import default_data_collator

from hf_grok import SASTrainer, SASTrainingArguments
from hf_grok.evaluation.runner import run_probes
from hf_grok.probes.registry import OURS
from hf_grok.probes.tasks.loss import TokenLoss
from hf_grok.sas import ArcCollator, encode_rows, token_mean_loss
from hf_grok.sas.options import CLAMPED
from tests.probes.test_contract import GRAMMAR, TOKENIZER, probe_of, watched_model
from tests.sas.parsed import masking_tokenizer, sentences, tiny_bert
from tests.sas.test_evaluated_loss import uneven
from tests.sas.trainers import arguments, logged, model, rows, sas_trainer

PARTS = ("loss", "lm_loss", "sas_penalty", "sas_arcs", "grad_norm")
# A batch over all processes, which 1, 2 and 3 of them share evenly.
TOGETHER = 12
# How accelerate's loaders can be told to share rows out, and rows of an evaluation batch.
LOADERS: dict[str, tuple[dict[str, bool], int]] = {
    "gpt2": ({}, 3),
    "bert": ({"even_batches": False}, 4),
    "llama": ({"split_batches": True}, 6),
}


def losses_of(trainer: Any, found: dict[str, float]) -> dict[str, Any]:
    losses = {name: value for name, value in found.items() if name.endswith("_loss")}
    return {**losses, **{part: logged(trainer, part) for part in PARTS}}


def accumulated(folder: Path, name: str, arcs: str, world: int) -> dict[str, Any]:
    """Full batches, in micro-batches; the contrast has a number of arcs of its own."""
    trainer = sas_trainer(
        folder,
        name,
        sas_arcs=arcs,
        per_device_train_batch_size=TOGETHER // (2 * world),
        gradient_accumulation_steps=2,
        ddp_find_unused_parameters=False,
    )
    trainer.train()
    return losses_of(trainer, {})


def clamped(folder: Path, world: int) -> dict[str, Any]:
    """One part a process: what the parts differ by must not decide what the whole batch does."""
    trainer = sas_trainer(
        folder,
        "gpt2",
        sas_arcs=CLAMPED,
        sas_schedule="0:2",
        per_device_train_batch_size=TOGETHER // world,
        max_steps=8,
        ddp_find_unused_parameters=False,
    )
    trainer.train()
    return losses_of(trainer, {})


def ragged(folder: Path, name: str, world: int) -> dict[str, Any]:
    """Rows that no number of processes shares evenly, uneven labels, evaluated before training."""
    masked = name == "bert"
    loaders, size = LOADERS[name]
    split = loaders.get("split_batches", False)
    trainer = SASTrainer(
        model=model(name),
        args=SASTrainingArguments(
            **arguments(
                folder,
                per_device_train_batch_size=TOGETHER if split else TOGETHER // world,
                per_device_eval_batch_size=size,
                accelerator_config=loaders,
                ddp_find_unused_parameters=False,
                sas_schedule="0:0.5",
                max_steps=5,
                # Adam divides a gradient near 0 by itself: there the last digit of a sum is a
                # whole step, and one ulp of llama's weights 1e-4 of its fourth grad_norm.
                optim="sgd",
                learning_rate=0.1,
            )
        ),
        train_dataset=uneven(25, masked=masked),
        eval_dataset={str(n): uneven(n, masked=masked, seed=n) for n in (2, 7, 13)},
        data_collator=default_data_collator,
        compute_loss_func=token_mean_loss if masked else None,
        compute_metrics=lambda predicted: {"rows": float(len(predicted.predictions))},
    )
    before = trainer.evaluate()
    assert [before[f"eval_{n}_rows"] for n in (2, 7, 13)] == [2, 7, 13]
    trainer.train()
    return losses_of(trainer, before)


def dispatched(folder: Path, world: int) -> dict[str, Any]:
    """Sentences of unequal lengths, from a loader that was told to read on process zero alone."""
    tokenizer = masking_tokenizer()
    network = tiny_bert(tokenizer)
    for module in network.modules():
        if hasattr(module, "p"):
            module.p = 0.0
    trainer = SASTrainer(
        model=network,
        args=SASTrainingArguments(
            **arguments(
                folder,
                per_device_train_batch_size=TOGETHER // world,
                accelerator_config={"dispatch_batches": True},
                ddp_find_unused_parameters=False,
                sas_schedule="0:0.5",
            )
        ),
        train_dataset=encode_rows(sentences(17), tokenizer, progress=False),
        eval_dataset=sentences(5),
        data_collator=ArcCollator(tokenizer),
        compute_loss_func=token_mean_loss,
    )
    before = trainer.evaluate()
    trainer.train()
    return losses_of(trainer, before)


def measured(accelerator: Any) -> dict[str, float]:
    """What we measure by ourselves: behaviours, and every probe of the registry."""
    network = watched_model().eval()
    lines = [TokenLoss([" ".join(words) for words, _, _ in part], TOKENIZER)
             for part in (GRAMMAR, GRAMMAR[:2])]  # fmt: skip
    probes = [lines[0], lines[1].named("few"), *(probe_of(name) for name in OURS)]
    probed = run_probes(network, probes, accelerator)
    assert not probed.failures, probed.failures
    return probed.numbers


def everything(folder: Path, world: int) -> tuple[dict[str, Any], Any]:
    """All of it, by name; and a trainer, whose accelerator ends the processes."""
    found: dict[str, Any] = {
        "bert contrast": accumulated(folder, "bert", "contrast", world),
        "gpt2 clamped": clamped(folder, world),
        "gpt2 syntactic": accumulated(folder, "gpt2", "syntactic", world),
        **{f"{name} ragged": ragged(folder, name, world) for name in LOADERS},
        "dispatched": dispatched(folder, world),
    }
    last = SASTrainer(
        model=model("gpt2"),
        args=SASTrainingArguments(**arguments(folder)),
        train_dataset=rows(4, masked=False),
    )
    found["measured"] = measured(last.accelerator)
    return found, last


if __name__ == "__main__":
    into = Path(sys.argv[1])
    processes = SASTrainingArguments(**arguments(into)).world_size
    numbers, trainer = everything(into, processes)
    (into / f"rank{trainer.args.process_index}.json").write_text(json.dumps(numbers))
    trainer.end()
