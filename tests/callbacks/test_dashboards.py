"""What trackio holds of a run is what its log_history says, step by step."""

from __future__ import annotations

import os
import random
import socket
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch

from hf_grok.callbacks import DashboardCallback, ProbeCallback, dashboard
from hf_grok.errors import UserError
from tests.callbacks.dashboard_material import PARTS, Held, PartsProbe, expected, once, probed
from tests.callbacks.material import tiny_trainer

# Read where trackio is first imported.
os.environ["TRACKIO_DIR"] = tempfile.mkdtemp(prefix="trackio")
import trackio
from trackio.sqlite_storage import SQLiteStorage


def rows_of(project: str, name: str = "run") -> list[dict[str, Any]]:
    rows = SQLiteStorage.get_logs(project, name)
    for row in rows:
        del row["timestamp"]
    return rows


def scalars(rows: list[dict[str, Any]]) -> Held:
    return once(
        (row["step"], chart, value)
        for row in rows
        for chart, value in row.items()
        if chart != "step" and isinstance(value, int | float)
    )


def test_it_holds_the_log_history_under_its_steps(tmp_path: Path) -> None:
    trainer = probed(tmp_path / "run", project="both")
    trainer.train()
    rows = rows_of("both")
    assert scalars(rows) == pytest.approx(expected(trainer, *PARTS))
    assert {step for step, _ in scalars(rows)} == set(range(9))
    tables = {row["step"]: row["tree/part"] for row in rows if "tree/part" in row}
    images = {
        row["step"]: row["tree/projected trees"] for row in rows if "tree/projected trees" in row
    }
    assert set(tables) == set(images) == {0, 3, 6, 8}
    (first, second) = tables[8]["_value"]
    numbers = next(row for row in trainer.state.log_history[::-1] if "eval_tree_part_a" in row)
    assert [first["part"], second["part"]] == ["a", "b"]
    assert first["above it"] == pytest.approx(numbers["eval_tree_part_a"] - 0.25, abs=1e-4)
    assert second["baseline"] is None


def test_a_resumed_run_has_every_step_once(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    settings = {"project": "resumed", "save_strategy": "steps", "save_steps": 4}
    probed(folder, **{**settings, "max_steps": 6}).train()
    before = SQLiteStorage.get_run_records("resumed")
    trainer = probed(folder, **settings)
    (folder / "checkpoint-6").rename(tmp_path / "lost")  # as if it had been stopped before
    trainer.train(resume_from_checkpoint=str(folder / "checkpoint-4"))
    assert SQLiteStorage.get_run_records("resumed") == before
    held = scalars(rows_of("resumed"))
    assert {step for step, _ in held} == set(range(9))
    assert max(step for step, chart in held if chart == "eval/tree_parseval") == 8


def test_a_run_that_begins_adds_to_no_other(tmp_path: Path) -> None:
    for count in (1, 2):
        trainer = probed(tmp_path / str(count) / "run", project="twice", max_steps=2)
        trainer.train()
        assert scalars(rows_of("twice", "run" if count == 1 else "run-2"))
    assert [one["name"] for one in SQLiteStorage.get_run_records("twice")] == ["run", "run-2"]


def test_evaluations_by_hand_belong_to_the_run_and_a_second_training_does_not(
    tmp_path: Path,
) -> None:
    trainer = probed(tmp_path / "run", project="by-hand", max_steps=2)
    trainer.evaluate()
    trainer.train()
    trainer.evaluate()
    assert scalars(rows_of("by-hand"))[0, "eval/loss"]
    trainer.train()
    assert [one["name"] for one in SQLiteStorage.get_run_records("by-hand")] == ["run", "run-2"]


def test_predictions_after_training_are_under_the_last_step(tmp_path: Path) -> None:
    trainer = probed(tmp_path / "run", project="predicted", max_steps=2)
    trainer.train()
    metrics = trainer.predict(trainer.eval_dataset).metrics
    trackio.finish()
    assert scalars(rows_of("predicted"))[2, "test/loss"] == metrics["test_loss"]


def test_all_opens_a_chart_a_number(tmp_path: Path) -> None:
    trainer = probed(tmp_path / "run", project="all", max_steps=1, probe_detail="all")
    trainer.train()
    charts = {chart for _, chart in scalars(rows_of("all"))}
    assert {"tree/part/a", "tree/part/b", "tree/low/a", "eval/tree_parseval"} <= charts


@pytest.mark.parametrize(("detail", "there"), [("headlines", False), ("all", True)])
@pytest.mark.parametrize("bar", [False, True])
def test_the_console_shows_as_much(
    detail: str, there: bool, bar: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"report_to": "none", "disable_tqdm": not bar, "max_steps": 1}
    probed(tmp_path, **settings, probe_detail=detail).train()
    printed = capsys.readouterr().out
    assert "eval_tree_parseval" in printed
    assert ("eval_tree_part_a" in printed) == there


def test_a_number_that_no_chart_shows_chooses_the_best_model(tmp_path: Path) -> None:
    trainer = probed(
        tmp_path / "run", project="best", save_strategy="steps", save_steps=3, max_steps=6,
        load_best_model_at_end=True, metric_for_best_model="tree_part_b", greater_is_better=True,
    )  # fmt: skip
    trainer.train()
    logged = [row["eval_tree_part_b"] for row in trainer.state.log_history if row["step"] in (3, 6)
              and "eval_tree_part_b" in row]  # fmt: skip
    assert trainer.state.best_metric == max(logged)
    held = scalars(rows_of("best"))
    assert (6, "tree/part/b") in held
    assert (6, "tree/part/a") not in held


def test_being_shown_changes_no_weight_and_no_generator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A board that draws from every generator, as trackio does for a name."""
    weights = []
    draw = dashboard.TrackioBoard.show_numbers

    def drawing(self: Any, numbers: Mapping[str, Any], step: int) -> None:
        random.random(), np.random.rand(), torch.rand(1)
        draw(self, numbers, step)

    monkeypatch.setattr(dashboard.TrackioBoard, "show_numbers", drawing)
    for name, shown in (("with", "trackio"), ("without", "none")):
        trainer = probed(tmp_path / name, report_to=shown)
        random.seed(3)
        trainer.train()
        weights.append([*trainer.model.state_dict().values(), torch.tensor(random.random())])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def test_a_dashboard_that_fails_ends_no_run_and_is_told_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    calls = []

    def failing(self: Any, table: Any, step: int) -> NoReturn:
        calls.append(step)
        raise OSError("no space left on device")

    monkeypatch.setattr(dashboard.logger, "error", said.append)
    monkeypatch.setattr(dashboard.TrackioBoard, "show_table", failing)
    trainer = probed(tmp_path / "run", project="failing")
    trainer.train()
    assert trainer.state.global_step == 8
    assert calls == [0]
    (message,) = said
    assert message.startswith("trackio is left out from step 0 on: OSError: no space left")
    trackio.finish()
    assert {step for step, _ in scalars(rows_of("failing"))} == {0}


def test_pictures_that_cannot_be_drawn_are_left_out_with_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(dashboard.logger, "warning", said.append)
    monkeypatch.setattr(PartsProbe, "picture", lambda self, state: {"sentences": "none"})
    probed(tmp_path / "run", project="undrawn", max_steps=2).train()
    (message,) = said
    assert "without pictures" in message
    assert any("tree/part" in row for row in rows_of("undrawn"))


def test_a_local_dashboard_asks_no_other_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    trainer = probed(tmp_path / "run", project="offline", max_steps=2)
    trainer.train()
    assert scalars(rows_of("offline")) == pytest.approx(expected(trainer, *PARTS))


def test_where_nothing_is_reported_to_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"report_to=\[\].*trackio, tensorboard or wandb"):
        DashboardCallback(tiny_trainer(tmp_path))


def test_what_was_said_of_dashboards_holds_beside_probes(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path / "run", report_to="trackio", project="said", max_steps=1)
    trainer.add_callback(DashboardCallback(trainer, probe_detail="all", pictures=False))
    trainer.add_callback(ProbeCallback(trainer, PartsProbe()))
    trainer.train()
    rows = rows_of("said")
    assert "tree/part/a" in {chart for _, chart in scalars(rows)}
    assert not any("tree/projected trees" in row for row in rows)


def test_a_dashboard_that_came_with_probes_is_taken_over(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path / "run", report_to="trackio", project="over", max_steps=1)
    trainer.add_callback(ProbeCallback(trainer, PartsProbe()))
    trainer.add_callback(DashboardCallback(trainer, probe_detail="all"))
    trainer.train()
    kinds = Counter(type(one).__name__ for one in trainer.callback_handler.callbacks)
    assert kinds["DashboardCallback"] == 1
    assert "tree/part/a" in {chart for _, chart in scalars(rows_of("over"))}
