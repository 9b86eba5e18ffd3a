"""The numbers of a probe that another package brings: wherever ours are shown, so are they."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_grok.callbacks import ProbeCallback
from hf_grok.commands.onsets.command import main as onsets
from hf_grok.errors import UserError
from hf_grok.metrics import Baseline, Metric, direction_of
from hf_grok.model_cards import NamedStep
from hf_grok.model_cards.measures import main_numbers
from hf_grok.probes import probe_class
from hf_grok.report.figures.structure import structure_families
from hf_grok.report.groups import group_runs
from hf_grok.report.sweep.numbers import present
from hf_grok.report.sweep.runs import read_sweep
from hf_grok.report.sweep.table import markdown
from hf_grok.report.text.structure_rows import structure_rows
from hf_grok.runs.notes import read_notes
from hf_grok.runs.read import load_run
from tests.callbacks.material import tiny_trainer
from tests.dynamics.onsets.shapes import ramp
from tests.dynamics.tables import write_run

MODULE = '''
import torch
from hf_grok.probes import Metric, Probe

class PartsProbe(Probe):
    """parts_found = fraction of its parts that a model has."""

    name, version, source, needs_data = "parts", 1, "a test", False
    metrics = {
        "parts_found": Metric(
            "parts that the model has", "share", 0.0, 1.0, True, "parts_drawn",
            title="parts", headline=True,
        ),
        "parts_drawn": Metric("parts that chance finds", "share", 0.0, 1.0, label="drawn"),
        "parts_lost": Metric("parts that it lost", "parts", 0.0, higher_is_better=False),
    }

    def __len__(self):
        return 1

    def state(self, model, indices=None):
        return {"found": torch.ones(1)}

    def compute(self, state):
        return {"parts_found": float(state["found"]), "parts_drawn": 0.25}
'''
STEPS = np.arange(0, 4_001, 100)
COLUMNS = {
    "eval_loss": 3 - ramp(STEPS, 600, 300),
    "eval_parts_found": 0.25 + ramp(STEPS, 1_200, 400, 0.6),
    "eval_parts_drawn": 0.25 + 0.0 * STEPS,
    "eval_parts_lost": 5 - ramp(STEPS, 900, 300, 4.0),
}


def evaluations() -> list[dict[str, Any]]:
    return [
        {"step": int(step), **{name: float(values[at]) for name, values in COLUMNS.items()}}
        for at, step in enumerate(STEPS)
    ]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    about = site / "parts_probe-1.dist-info"
    about.mkdir(parents=True)
    (site / "parts_probe.py").write_text(MODULE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: parts-probe\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[hf_grok.probes]\nparts = parts_probe:PartsProbe\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "parts_probe", raising=False)


def check_everywhere(tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Report, card, onsets and sweep show the run's numbers of the probe as they show ours."""
    (group,) = group_runs([load_run(run)])
    (family,) = structure_families(group)
    assert family.title == "Parts"
    assert [one.label for one in family.measures[0].baselines] == ["drawn"]
    (row,) = structure_rows(group)
    assert row.cells[0].text == ".85"
    assert row.cells[0].remark.endswith("; drawn .25")

    notes = read_notes(run)
    logged = NamedStep(
        3, "step3", metrics={column: float(values[-1]) for column, values in COLUMNS.items()}
    )
    loss, parts = main_numbers([logged], notes.metrics)
    assert loss.column == "eval_loss"
    assert (parts.column, parts.title, parts.kind) == ("eval_parts_found", "parts", "parts_found")
    assert parts.baseline == Baseline("drawn", "parts drawn", "eval_parts_drawn")

    assert onsets([str(run)]) == 0
    text = capsys.readouterr().out
    assert "eval_parts_found, rising; window 300 steps; baseline eval_parts_drawn" in text
    assert onsets([str(run), "--metric", "parts_lost"]) == 0
    assert "eval_parts_lost, falling" in capsys.readouterr().out

    described = {"base": {"settings": {}, "from": None, "step": 0}}
    content = {"name": "try", "recipe": "any", "seeds": [0], "arms": described}
    (run.parent / "sweep.json").write_text(json.dumps(content))
    sweep = read_sweep(run.parent)
    assert [one.title for one in present(sweep)] == ["loss, validation", "parts"]
    assert "| *without the model* |  | — | .25 |" in markdown(sweep)


@pytest.mark.usefixtures("installed")
def test_where_the_package_is_installed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "runs" / "base-seed0", evaluations())
    check_everywhere(tmp_path, run, capsys)


def test_where_the_run_recorded_what_the_probe_declares(
    tmp_path: Path,
    installed: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trainer = tiny_trainer(tmp_path / "trained")
    trainer.add_callback(ProbeCallback(trainer, ["parts", "norm"]))
    trainer.train()
    run = write_run(tmp_path / "runs" / "base-seed0", evaluations())
    recorded = (tmp_path / "trained" / "probe_metrics.json").read_bytes()
    assert list(json.loads(recorded)) == ["parts_found", "parts_drawn", "parts_lost"]
    (run / "probe_metrics.json").write_bytes(recorded)
    declared = dict(probe_class("parts").metrics)
    monkeypatch.undo()
    assert direction_of("eval_parts_found") is None  # uninstalled again
    assert load_run(run).metrics == declared
    check_everywhere(tmp_path, run, capsys)


def test_without_either_nothing_is_guessed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run", evaluations())
    (group,) = group_runs([load_run(run)])
    assert structure_families(group) == []
    with pytest.raises(UserError, match="eval_parts_lost: nothing says whether"):
        onsets([str(run), "--metric", "parts_lost"])
    assert onsets([str(run), "--metric", "parts_lost", "--direction", "fall"]) == 0
    assert "eval_parts_lost, falling" in capsys.readouterr().out


@pytest.mark.usefixtures("installed")
def test_a_probe_that_does_not_load_is_named(tmp_path: Path) -> None:
    (tmp_path / "site" / "parts_probe.py").write_text("import no_such_package\n")
    with pytest.raises(UserError, match=r"entry point 'parts' of group hf_grok.probes .* does not"):
        direction_of("eval_parts_found")
    assert direction_of("eval_uas_best_head") == "rise"


def test_a_changed_record_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", evaluations())
    (run / "probe_metrics.json").write_text('{"parts_found": {"meaning": "m", "unit": 3}}')
    with pytest.raises(
        UserError, match=r"probe_metrics\.json: 'parts_found': expected unit to be a"
    ):
        load_run(run)


def test_results_of_hf_grok_probe_hold_the_declarations(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [{"step": 0, "eval_loss": 1.0}])
    row = {"revision": "step0", "step": 0, "identity": "x", "version": 1, "probe": "parts"}
    about = {"data": "none", "metrics": {"parts_found": {"meaning": "m", "unit": "share"}}}
    content = {"format": 1, "model": "m", "failures": [], "pictures": []}
    rows = [{**row, "metric": "parts_found", "value": 0.5}]
    results = {**content, "probes": {"parts": about}, "rows": rows}
    (run / "probe_results.json").write_text(json.dumps(results))
    assert load_run(run).metrics == {"parts_found": Metric("m", "share")}
