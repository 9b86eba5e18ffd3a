"""A run and its series as version 0.1.0 wrote them, weights left out: later versions read them."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from hf_grok.commands.push import strength_of
from hf_grok.dynamics import load_run
from hf_grok.report import write_report
from hf_grok.runs.manifest import FileFacts, flaw, log_history, manifest_files
from hf_grok.runs.notes import read_notes
from hf_grok.runs.record import RunRecord, recorded
from hf_grok.series import Journal, Manifest, State
from hf_grok.series.card.from_run import series_card
from hf_grok.series.local.step_values import recorded_epoch

RUN = Path(__file__).parent / "written" / "run"
CHECKPOINT = RUN / "checkpoint-12"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_its_curves_are_the_numbers_in_its_lines() -> None:
    run = load_run(RUN)
    assert (run.recipe, run.seed, run.layers, run.status) == ("tiny", 7, 2, "finished")
    logged: dict[str, dict[int, float]] = defaultdict(dict)
    for row in lines(RUN / "metrics.jsonl"):
        for name, value in row.items():
            if name.startswith("eval_"):
                logged[name][row["step"]] = value
    assert set(logged) == set(run.evaluations.columns)
    for name, values in logged.items():
        assert run.evaluations[name].dropna().to_dict() == values
    assert list(run.evaluations.index) == [0, 6, 12]
    assert {step for _, step in run.pictures} == {0, 6, 12}


def test_it_is_reported(tmp_path: Path) -> None:
    page = write_report([RUN], tmp_path)[0].read_text(encoding="utf-8")
    assert "tiny (file), 2 layers, seed 7" in page


def test_its_record_is_gone_on_with(tmp_path: Path) -> None:
    shutil.copyfile(RUN / "run.json", tmp_path / "run.json")
    before = recorded(tmp_path)
    assert before is not None
    record = RunRecord(tmp_path)
    record.start({"recipe": "tiny"})
    after = json.loads((tmp_path / "run.json").read_text())
    assert after["started"] == before["started"]
    assert after["seconds"] >= before["seconds"] > 0


def test_its_manifest_is_read_and_checked() -> None:
    listed = json.loads((CHECKPOINT / "manifest.json").read_text())["files"]
    expected = {name: FileFacts(entry["bytes"], entry["sha256"]) for name, entry in listed.items()}
    assert manifest_files(CHECKPOINT) == expected
    assert flaw(CHECKPOINT) == "generation_config.json is missing"  # the first that was left out
    assert log_history(CHECKPOINT)[0]["step"] == 0


def test_its_journal_is_read_and_written_the_same() -> None:
    journal = Journal(RUN / "series")
    rows = lines(journal.path)
    assert {step: record.to_json() for step, record in journal.records().items()} == {
        row["step"]: row for row in rows
    }
    records = journal.in_state(State.STAGED)
    assert [record.step for record in records] == [0, 6, 12]
    assert [record.lambda_ for record in records] == [0.1] * 3
    assert [record.data_position for record in records] == [0, 24, 48]  # 4 lines a step


def test_its_series_json_is_read_and_written_the_same() -> None:
    path = RUN / "series" / "staged" / "step12" / "series.json"
    text = path.read_text(encoding="utf-8")
    manifest = Manifest.from_json(text, str(path))
    assert json.dumps(manifest.to_json(), indent=1) + "\n" == text
    record = Journal(RUN / "series").records()[12]
    assert record.manifest() == manifest


def test_its_card_is_made_of_what_it_says() -> None:
    notes = read_notes(RUN)
    assert (notes.about["recipe"], notes.config["model_type"]) == ("tiny", "vanilla_transformer")
    card = series_card(notes, Journal(RUN / "series").records().values()).render()
    assert "step12" in card
    assert recorded_epoch(notes.about).examples == 64  # type: ignore[union-attr]
    strength = strength_of(RUN)
    assert strength is not None
    assert strength(12) == pytest.approx(0.1)
