"""A series is of one run: restarts, searches, resumed runs, and what was read by each step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset, DatasetInfo
from safetensors.torch import load_file
from transformers import Trainer, TrainerCallback, TrainerState

from hf_grok.callbacks import CheckpointSeriesCallback
from hf_grok.callbacks.data_facts import describe_data
from hf_grok.errors import UserError
from hf_grok.runs.notes import read_about, read_notes
from hf_grok.series import Journal, State
from hf_grok.series.card.from_run import series_card
from hf_grok.series.errors import SeriesError
from hf_grok.series.run_series import RunSeries
from tests.callbacks.material import rows, tiny_trainer
from tests.callbacks.test_probe_runs import RunsOutOfMemory

SAVES: dict[str, Any] = {"save_strategy": "steps", "save_steps": 2, "eval_strategy": "no"}


class Examples(TrainerCallback):
    """Rows of the batches that were really read, by step, and the weights at each save."""

    def __init__(self, trainer: Trainer) -> None:
        self.by_step, self.weights = {0: 0}, {}
        self._trainer, self._read, self._step = trainer, 0, trainer.training_step
        trainer.training_step = self._counted

    def _counted(self, model: Any, inputs: Any, *rest: Any) -> Any:
        self._read += len(inputs["input_ids"])
        return self._step(model, inputs, *rest)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._read = 0

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.by_step[state.global_step] = self._read

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        weights = kwargs["model"].state_dict()
        self.weights[state.global_step] = {name: w.clone() for name, w in weights.items()}


def series_trainer(folder: Path, **changes: Any) -> tuple[Trainer, Examples]:
    trainer = tiny_trainer(folder, **{**SAVES, **changes})
    examples = Examples(trainer)
    trainer.add_callback(examples)
    trainer.add_callback(CheckpointSeriesCallback("grower/run", wait_seconds=1))
    return trainer, examples


def main_card(folder: Path) -> str:
    """The page of the series, as it goes to `main`."""
    records = Journal(folder / "series").records().values()
    return series_card(read_notes(folder), records).render()


def positions(folder: Path) -> dict[int, int | None]:
    records = Journal(folder / "series").records().values()
    return {record.step: record.data_position for record in records}


@pytest.mark.parametrize(
    "changes",
    [
        {"per_device_train_batch_size": 12},  # 12, 12, 12, 4
        {"per_device_train_batch_size": 12, "dataloader_drop_last": True},
        {"per_device_train_batch_size": 6, "gradient_accumulation_steps": 2},
        {"train_sampling_strategy": "sequential", "per_device_train_batch_size": 16},
    ],
)
def test_positions_are_the_examples_that_were_read(tmp_path: Path, changes: dict[str, Any]) -> None:
    trainer, examples = series_trainer(tmp_path, **changes)
    trainer.train()
    assert positions(tmp_path) == {step: examples.by_step[step] for step in (0, 2, 4, 6, 8)}
    # What is left of the run says the same where the journal has been lost.
    Journal(tmp_path / "series").path.unlink()
    trainer.callback_handler.on_train_begin(
        trainer.args, TrainerState(global_step=8, is_world_process_zero=True), trainer.control
    )
    found = positions(tmp_path)
    assert found == {step: examples.by_step[step] for step in found}
    assert len(found) == 4


def test_a_restart_with_a_smaller_batch_is_another_attempt(tmp_path: Path, said: list[str]) -> None:
    trainer, examples = series_trainer(tmp_path, auto_find_batch_size=True, max_steps=6)
    trainer.add_callback(RunsOutOfMemory(3))  # with step 2 set aside already
    trainer.train()
    assert trainer.state.train_batch_size < 4
    assert positions(tmp_path) == {step: examples.by_step[step] for step in (0, 2, 4, 6)}
    records = Journal(tmp_path / "series").records()
    assert {record.state for record in records.values()} == {State.STAGED}
    for step, weights in examples.weights.items():
        found = load_file(tmp_path / f"series/staged/step{step}/model.safetensors")
        assert all(torch.equal(found[name], weights[name]) for name in found)
    assert any("begins again at step 0" in text for text in said)


def test_steps_of_an_attempt_that_are_on_the_hub_end_the_series(tmp_path: Path) -> None:
    trainer, _ = series_trainer(tmp_path, max_steps=4)
    trainer.train()
    callback = CheckpointSeriesCallback("grower/run")
    series: RunSeries = callback._of(trainer.args)
    series.journal.update(2, state=State.PUSHED)
    with pytest.raises(SeriesError, match="step2 is on the Hub, and training begins again"):
        series.give_up_attempt()
    series.journal.update(2, state=State.STAGED)
    series.give_up_attempt()
    kept = {step: record.state for step, record in series.journal.records().items()}
    assert kept == {0: State.STAGED, 2: State.REFUSED, 4: State.REFUSED}
    assert not (series.folder / "staged/step2").exists()


class Stream(torch.utils.data.IterableDataset):  # type: ignore[type-arg]
    def __iter__(self) -> Any:
        return iter(rows(40))


def test_data_of_unknown_length_have_no_position_and_it_is_said(
    tmp_path: Path, said: list[str]
) -> None:
    trainer, _ = series_trainer(tmp_path, max_steps=2)
    trainer.train_dataset = Stream()
    trainer.train()
    assert positions(tmp_path) == {0: 0, 2: None}
    assert any("data_position, the examples read by each step, is not known" in s for s in said)
    assert read_about(tmp_path)["data"] == {"described": "a Stream"}


def test_a_run_that_is_resumed_with_another_batch_has_no_position_from_there(
    tmp_path: Path, said: list[str]
) -> None:
    series_trainer(tmp_path, max_steps=2)[0].train()
    for steps in (4, 6):  # the second time it has begun with the batch that it goes on with
        trainer, _ = series_trainer(tmp_path, max_steps=steps, per_device_train_batch_size=8)
        trainer.train(resume_from_checkpoint=True)
    assert positions(tmp_path) == {0: 0, 2: 8, 4: None, 6: None}
    assert any("resumed with other batches than it began with" in text for text in said)


def test_a_search_is_refused_before_its_first_step(tmp_path: Path) -> None:
    trainer, _ = series_trainer(tmp_path)
    state = TrainerState(is_hyper_param_search=True)
    with pytest.raises(UserError, match="a hyperparameter search trains many runs"):
        trainer.callback_handler.on_train_begin(trainer.args, state, trainer.control)
    assert not (tmp_path / "series").exists()


@pytest.mark.parametrize("given", [True, False])
def test_the_card_of_a_users_script_names_its_data(tmp_path: Path, given: bool) -> None:
    trainer = tiny_trainer(tmp_path, **{**SAVES, "max_steps": 2})
    info = DatasetInfo(builder_name="parquet", dataset_name="ewt", config_name="en")
    info.download_checksums = {f"hf://datasets/me/ewt@abc/{split}.parquet": {} for split in "ab"}
    data = Dataset.from_list([{"input_ids": r["input_ids"].tolist()} for r in rows(8)], info=info)
    data = data.map(lambda row: {"labels": row["input_ids"]})
    trainer.train_dataset = data
    told = {"train_dataset": data} if given else {}
    trainer.add_callback(CheckpointSeriesCallback("grower/run", **told))
    trainer.train()
    card = main_card(tmp_path)
    about = read_about(tmp_path)["data"]
    assert about["hub_id"] == "me/ewt"
    assert about["name"] == "ewt"
    # Trainer drops columns, and with them the fingerprint that the user knows.
    assert about.get("fingerprint") == (data._fingerprint if given else None)
    table = card.partition("## Data")[2].partition("##")[0]
    assert table.count("not recorded") == (not given)
    assert "| training examples | 8 |" in table
    assert "trained on ewt" in card
    assert "[me/ewt](" in card


def test_data_without_a_name_are_told_by_class_and_length(tmp_path: Path) -> None:
    trainer, _ = series_trainer(tmp_path, max_steps=2)
    trainer.train()
    card = main_card(tmp_path)
    assert "trained on a list of 40 examples" in card
    memory = describe_data(Dataset.from_dict({"a": [1, 2]}))
    assert memory.pop("fingerprint")
    assert memory == {
        "train_examples": 2,
        "config": "default",
        "described": "a datasets.Dataset of 2 examples",
    } or memory == {"train_examples": 2, "described": "a datasets.Dataset of 2 examples"}


def test_no_path_of_this_machine_is_told() -> None:
    info = DatasetInfo(builder_name="json", dataset_name="json", config_name="default-0")
    info.download_checksums = {"/home/somebody/private/lines.jsonl": {}}
    about = describe_data(Dataset.from_dict({"a": [1]}, info=info))
    assert "hub_id" not in about
    assert "somebody" not in str(about)
