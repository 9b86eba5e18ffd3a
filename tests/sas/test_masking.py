"""Masks are a function of (seed, epoch, example), and rows know the last two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset
from transformers import Trainer, TrainingArguments

from hf_grok.errors import UserError
from hf_grok.sas.collator import ArcCollator
from hf_grok.sas.encoding import encode_rows
from hf_grok.sas.epoch_rows import EpochCallback, EpochRows
from hf_grok.sas.masking import Masking, mask_pieces
from tests.sas.parsed import masking_tokenizer, pieces_tokenizer, sentences, tiny_bert

ORDINARY = np.arange(10, 30)


def draw(
    masking: Masking, *, pieces: int = 12, epoch: int = 0, index: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    ids = np.arange(100, 102 + pieces)
    maskable = np.array([False, *[True] * pieces, False])
    chosen = {"epoch": epoch, "index": index, "mask_token": 4, "ordinary": ORDINARY}
    return mask_pieces(ids, maskable, masking, **chosen)


def test_shares_are_those_asked_for() -> None:
    fates: Counter[str] = Counter()
    guessed = []
    for index in range(4000):
        seen, labels = draw(Masking(), index=index)
        original = np.arange(100, 114)
        hidden = labels != -100
        assert (labels[hidden] == original[hidden]).all()
        assert (seen[~hidden] == original[~hidden]).all()
        assert not hidden[[0, -1]].any()
        guessed.append(hidden.sum())
        for was, now in zip(original[hidden], seen[hidden], strict=True):
            fates["mask" if now == 4 else "kept" if now == was else "random"] += 1
            assert now in (4, was) or now in ORDINARY
    assert set(guessed) == {1, 2}
    assert np.mean(guessed) == pytest.approx(0.15 * 12, abs=0.03)
    shares = {fate: count / sum(fates.values()) for fate, count in fates.items()}
    assert shares == pytest.approx({"mask": 0.8, "random": 0.1, "kept": 0.1}, abs=0.02)


def test_every_piece_and_replacement_is_as_likely() -> None:
    places: Counter[int] = Counter()
    drawn: Counter[int] = Counter()
    for index in range(4000):
        seen, labels = draw(Masking(share=0.25, mask=0, random=1), index=index)
        places.update(np.flatnonzero(labels != -100).tolist())
        drawn.update(seen[labels != -100].tolist())
    assert all(count == pytest.approx(1000, abs=130) for count in places.values())
    assert set(places) == set(range(1, 13))
    assert all(count == pytest.approx(600, abs=110) for count in drawn.values())
    assert set(drawn) == set(ORDINARY)


def test_short_rows_have_one_piece_to_guess_and_long_shares_take_all() -> None:
    assert all((draw(Masking(), pieces=1, index=i)[1] != -100).sum() == 1 for i in range(20))
    seen, labels = draw(Masking(share=1, mask=1, random=0))
    assert (seen[1:-1] == 4).all()
    assert (labels[1:-1] != -100).all()
    assert (draw(Masking(), pieces=0)[1] == -100).all()


def test_seed_epoch_and_index_each_matter() -> None:
    base = draw(Masking(), pieces=60)
    again = draw(Masking(), pieces=60)
    assert all((one == other).all() for one, other in zip(base, again, strict=True))
    others = [
        draw(Masking(seed=1), pieces=60),
        draw(Masking(), pieces=60, epoch=1),
        draw(Masking(), pieces=60, index=1),
    ]
    labels = {tuple(each[1]) for each in [base, *others]}
    assert len(labels) == 4


def test_the_masks_of_old_runs_stay() -> None:
    _, labels = draw(Masking(), pieces=20, epoch=2, index=3)
    assert np.flatnonzero(labels != -100).tolist() == [2, 4, 9]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"share": 0}, "share=0"),
        ({"share": 1.1}, "share=1.1"),
        ({"mask": 0.95}, "mask=0.95, random=0.1"),
        ({"mask": -0.1}, "mask=-0.1"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_values_out_of_range(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Masking(**values)


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
    tokenizer = pieces_tokenizer()
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
