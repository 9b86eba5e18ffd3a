"""What TensorBoard holds of a run is what its log_history says, resumed runs included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hf_grok.callbacks.dashboards.shown import TOTALS
from tests.callbacks.dashboard_material import PARTS, Held, expected, once, probed

event_accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="no tensorboard is installed"
)


def events_of(folder: Path) -> Any:
    found = event_accumulator.EventAccumulator(str(folder), size_guidance={})
    return found.Reload()


def scalars_of(events: Any) -> Held:
    return once(
        (event.step, chart, event.value)
        for chart in events.Tags()["scalars"]
        for event in events.Scalars(chart)
    )


def test_it_holds_the_log_history_with_tables_and_pictures(tmp_path: Path) -> None:
    trainer = probed(tmp_path, report_to="tensorboard")
    trainer.train()
    events = events_of(tmp_path / "tensorboard")
    curves = {k: v for k, v in scalars_of(events).items() if k[1].split("/")[1] not in TOTALS}
    assert curves == pytest.approx(expected(trainer, *PARTS), rel=1e-5)
    assert [one.step for one in events.Images("tree/projected trees")] == [0, 3, 6, 8]
    texts = events.Tensors("tree/part/text_summary")
    assert [one.step for one in texts] == [0, 3, 6, 8]
    assert b"| a |" in texts[0].tensor_proto.string_val[0]


def test_a_resumed_run_is_one_curve(tmp_path: Path) -> None:
    settings = {"report_to": "tensorboard", "save_strategy": "steps", "save_steps": 4}
    probed(tmp_path, **{**settings, "max_steps": 6}).train()
    (tmp_path / "checkpoint-6").rename(tmp_path / "lost")  # as if it had been stopped before
    trainer = probed(tmp_path, **settings)
    trainer.train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    curves = scalars_of(events_of(tmp_path / "tensorboard"))
    assert {step for step, chart in curves if chart == "train/loss"} == set(range(1, 9))
    assert {step for step, chart in curves if chart == "eval/tree_parseval"} == {0, 3, 6, 8}


def test_the_folder_that_the_environment_names_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "mine"))
    probed(tmp_path / "run", report_to="tensorboard", max_steps=1).train()
    assert scalars_of(events_of(tmp_path / "mine"))
    assert not (tmp_path / "run" / "tensorboard").exists()
