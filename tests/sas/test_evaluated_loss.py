"""The evaluation loss against a sum label by label, however the rows are cut into batches."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate.data_loader import BatchSamplerShard
from torch.nn.functional import cross_entropy
from torch.utils.data import BatchSampler, IterableDataset, SequentialSampler
from transformers import default_data_collator

from hf_grok import SASTrainer, SASTrainingArguments
from hf_grok.errors import UserError
from hf_grok.measurement.shares import RealRows, ignoring, shared_evenly
from hf_grok.sas import token_mean_loss
from hf_grok.sas.losses.evaluated import check_evaluation
from tests.sas.trainers import Row, arguments, model, rows

IGNORED = -100


def uneven(count: int, *, masked: bool, seed: int = 0) -> list[Row]:
    """Rows of up to seven labels: a mean of batch means is not their mean."""
    made = rows(count, masked=masked, seed=seed)
    for number, row in enumerate(made):
        row["labels"] = row["labels"].masked_fill(torch.arange(8) > 1 + number % 6, IGNORED)
    return made


def trainer_of(
    folder: Path, name: str, *, own: bool = False, loss_type: str | None = None, **changes: Any
) -> Any:
    masked = name == "bert"
    made = model(name)
    if name == "gpt2":
        made.loss_type = loss_type
    return SASTrainer(
        model=made,
        args=SASTrainingArguments(**arguments(folder, **changes)),
        train_dataset=uneven(12, masked=masked),
        eval_dataset={"a": uneven(7, masked=masked, seed=1), "b": uneven(2, masked=masked, seed=2)},
        data_collator=default_data_collator,
        compute_loss_func=token_mean_loss if own else None,
    )


def by_label(trainer: Any, data: list[Row], *, shifted: bool, smoothing: float = 0.0) -> float:
    """Row by row: the sum over labels of their loss, over their number."""
    total, count = 0.0, 0
    network = trainer.model.eval()
    for row in data:
        with torch.no_grad():
            logits = network(input_ids=row["input_ids"][None]).logits[0].double()
        labels = row["labels"][1:] if shifted else row["labels"]
        losses = cross_entropy(
            logits[: len(labels)], labels, reduction="sum", label_smoothing=smoothing
        )
        total, count = total + float(losses), count + int((labels != IGNORED).sum())
    return total / count


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bert", {"own": True}),
        ("bert", {}),  # a mean over each batch, whatever number of items it is told
        ("gpt2", {"loss_type": "ForCausalLM"}),
        ("gpt2", {"loss_type": None}),  # of which Trainer counts the first label too
        ("llama", {"label_smoothing_factor": 0.1}),
    ],
)
def test_the_evaluation_loss_is_the_mean_over_labels(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    for size in (1, 3, 7):
        trainer = trainer_of(tmp_path, name, per_device_eval_batch_size=size, **options)
        smoothing = options.get("label_smoothing_factor", 0.0)
        found = trainer.evaluate()
        for part, data in trainer.eval_dataset.items():
            expected = by_label(trainer, data, shifted=name != "bert", smoothing=smoothing)
            assert found[f"eval_{part}_loss"] == pytest.approx(expected, rel=1e-6), (part, size)
        test = trainer.predict(trainer.eval_dataset["a"]).metrics["test_loss"]
        assert test == pytest.approx(found["eval_a_loss"], rel=1e-6)


def test_a_loss_that_is_not_finite_is_not_left_out(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, "bert", own=True)
    with torch.no_grad():
        trainer.model.get_input_embeddings().weight[5] = float("nan")
    found = trainer.evaluate()["eval_a_loss"]
    assert found != found


class Process:
    """What an Accelerator says to one of several processes, at the end of a loader or before."""

    def __init__(self, rank: int, world: int) -> None:
        self.process_index, self.num_processes = rank, world
        self.gradient_state = SimpleNamespace(end_of_dataloader=False, remainder=-1)


@pytest.mark.parametrize("world", [2, 3, 4])
@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
def test_every_row_counts_once(world: int, split: bool, drop_last: bool) -> None:
    for count in range(1, 30):
        for size in (1, 2, 3):
            batch_size = size * world if split else size
            counted: list[int] = []
            for rank in range(world):
                shard = BatchSamplerShard(
                    BatchSampler(SequentialSampler(range(count)), batch_size, drop_last),
                    *(world, rank),
                    split_batches=split,
                )
                process: Any = Process(rank, world)
                real = RealRows(SimpleNamespace(batch_sampler=shard), process)
                batches = [torch.tensor(batch) for batch in shard]
                for at, batch in enumerate(batches, start=1):
                    process.gradient_state.end_of_dataloader = at == len(batches)
                    kept = real.of({"labels": batch})
                    counted += batch[:kept].tolist()
            whole = count // (size * world) * size * world if drop_last else count
            assert sorted(counted) == list(range(whole)), (count, size)


def test_rows_that_fill_up_lose_their_labels_and_arcs() -> None:
    batch = {"labels": torch.tensor([[1, 2], [3, 4]]), "input_ids": torch.tensor([[1, 2], [3, 4]])}
    changed = ignoring(batch, 1, {"labels": IGNORED, "other": -1})
    assert changed["labels"].tolist() == [[1, 2], [IGNORED, IGNORED]]
    assert batch["labels"].tolist() == [[1, 2], [3, 4]]
    assert changed["input_ids"] is batch["input_ids"]
    with pytest.raises(UserError, match="labels cannot be ignored in rows that fill"):
        ignoring({"labels": torch.ones(2)}, 1, {"labels": IGNORED})


def test_a_collator_that_joins_rows_is_refused_where_rows_fill_up() -> None:
    shard = BatchSamplerShard(BatchSampler(range(3), 2, False), 2, 0)
    process: Any = Process(0, 2)
    process.gradient_state.end_of_dataloader = True
    real = RealRows(SimpleNamespace(batch_sampler=shard), process)
    with pytest.raises(UserError, match="a batch of 2 rows became 1"):
        real.of({"labels": torch.zeros(1, 16)})


class Endless(IterableDataset[int]):
    def __iter__(self) -> Any:
        yield 1


def test_what_several_processes_cannot_share_is_refused_before_the_first_step(
    tmp_path: Path,
) -> None:
    trainer = trainer_of(tmp_path, "bert", own=True, accelerator_config={"split_batches": True})
    trainer.accelerator = SimpleNamespace(num_processes=2, distributed_type=None)
    with pytest.raises(UserError, match="evaluation batch of 3 over 2 processes"):
        check_evaluation(trainer)
    trainer.label_names = ["start_positions"]
    with pytest.raises(UserError, match="the labels are start_positions: on 2 processes"):
        check_evaluation(trainer)
    trainer.compute_loss_func = None
    trainer.model_accepts_loss_kwargs = False
    with pytest.raises(UserError, match="a mean over each of 2 processes' batches"):
        trainer.train()
    config = SimpleNamespace(even_batches=False, dispatch_batches=False)
    streams: Any = SimpleNamespace(num_processes=2, dataloader_config=config)
    with (
        pytest.raises(UserError, match="Endless is a stream, and dispatch_batches=False"),
        shared_evenly(streams, Endless()),
    ):
        pass
    with shared_evenly(streams, [1]):
        assert (config.even_batches, config.dispatch_batches) == (True, False)
    assert not config.even_batches
