"""Rows know their index and epoch, from which alone the collator draws what is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset
from transformers import Trainer, TrainingArguments

from hf_grok.errors import UserError
from hf_grok.sas.batches.collator import ArcCollator
from hf_grok.sas.batches.encoding import encode_rows
from hf_grok.sas.batches.epoch_rows import EpochCallback, EpochRows
from tests.sas.parsed import masking_tokenizer, sentences, subword_tokenizer, tiny_bert


def test_rows_know_their_index_and_epoch() -> None:
    data = datasets.Dataset.from_list(sentences(5))
    rows = EpochRows(data)
    assert rows.epoch is None
    rows.set_epoch(2)
    assert rows[3] == {**data[3], "example_index": 3, "epoch": 2}
    assert rows.__getitems__([4, 0]) == [rows[4], rows[0]]
    assert EpochRows(list(data)).__getitems__([1])[0]["example_index"] == 1
    fixed = EpochRows(data, fixed=True)
    fixed.set_epoch(7)
    assert (fixed.epoch, len(fixed)) == (0, 5)


def test_streams_are_refused() -> None:
    class Stream(IterableDataset):
        def __iter__(self) -> Iterator[dict[str, Any]]:
            return iter(())

    with pytest.raises(UserError, match="Stream gives its rows in a stream"):
        EpochRows(Stream())


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_see_the_epoch_even_those_that_outlive_it(persistent: bool) -> None:
    rows = EpochRows(encode_rows(sentences(6), masking_tokenizer(), progress=False))
    collator = ArcCollator(masking_tokenizer(), share=0.5)
    loader = DataLoader(
        rows, batch_size=2, collate_fn=collator, num_workers=2, persistent_workers=persistent
    )
    for epoch in (0, 1, 5):
        rows.set_epoch(epoch)
        for start, batch in zip((0, 2, 4), loader, strict=True):
            expected = collator([rows[start], rows[start + 1]])
            assert all(torch.equal(batch[name], expected[name]) for name in expected)


def trainer(folder: Path, *, rows: EpochRows | None = None, **options: Any) -> Trainer:
    torch.manual_seed(3)
    tokenizer = subword_tokenizer()
    tokenizer.padding_side = "left"
    settings: dict[str, Any] = {
        "output_dir": str(folder),
        "max_steps": 8,
        "per_device_train_batch_size": 4,
        "save_steps": 4,
        "lr_scheduler_type": "constant",
        "learning_rate": 0.01,
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": True,
        "remove_unused_columns": False,
        "dataloader_pin_memory": False,
        **options,
    }
    return Trainer(
        tiny_bert(tokenizer),
        TrainingArguments(**settings),
        train_dataset=rows or EpochRows(sentences(11)),
        eval_dataset=EpochRows(sentences(5), fixed=True),
        data_collator=ArcCollator(tokenizer, sham=True),
        callbacks=[EpochCallback()],
    )


def weights(ended: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in ended.model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_plain_trainer_resumed_amid_an_epoch_ends_as_if_never_stopped(tmp_path: Path) -> None:
    straight = trainer(tmp_path)
    straight.train()
    # 3 steps an epoch: step 4 is the first of the second epoch.
    resumed = trainer(tmp_path)
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    assert resumed.state.global_step == 8
    assert same(weights(straight), weights(resumed))


def test_what_the_resumed_run_would_be_with_the_masks_of_another_epoch(tmp_path: Path) -> None:
    straight = trainer(tmp_path)
    straight.train()
    resumed = trainer(tmp_path, rows=EpochRows(sentences(11), fixed=True))
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    assert not same(weights(straight), weights(resumed))


def test_neither_batches_nor_accumulation_change_the_masks(tmp_path: Path) -> None:
    seen: list[dict[int, list[int]]] = []
    for batch, accumulation in ((4, 1), (2, 2), (1, 4)):
        run = trainer(
            tmp_path,
            per_device_train_batch_size=batch,
            gradient_accumulation_steps=accumulation,
            max_steps=3,
            save_strategy="no",
        )
        collate, found = run.data_collator, {}

        def spying(rows: list[Any], collate: Any = collate, found: Any = found) -> Any:
            made = collate(rows)
            for row, labels in zip(rows, made["labels"].tolist(), strict=True):
                found[row["example_index"]] = [label for label in labels if label != -100]
            return made

        run.data_collator = spying
        run.train()
        seen.append(found)
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) == 11


def test_evaluation_masks_the_same_each_time(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    losses = [run.evaluate()["eval_loss"] for _ in range(3)]
    assert losses[0] == losses[1] == losses[2]


def test_a_trainer_that_nobody_tells_the_epoch_stops(tmp_path: Path) -> None:
    first = trainer(tmp_path)
    first.train()
    resumed = trainer(tmp_path)
    resumed.remove_callback(EpochCallback)
    with pytest.raises(UserError, match=r"nobody has told EpochRows which epoch"):
        resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
