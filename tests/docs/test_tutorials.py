"""The tutorials run to their ends on little material, and the notebooks are of these sources."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import pytest

from tests.docs.test_site import ROOT

FOLDER = ROOT / "docs" / "tutorials"
SOURCES = sorted(FOLDER.glob("*.py"))
# Name -> its parameters, as small as what it shows can be.
SMALL: dict[str, Mapping[str, Any]] = {
    "probes_in_your_trainer": {"STEPS": 7, "SENTENCES": 60, "HELD_OUT": 20},
    "series_to_statistics": {"RESAMPLES": 10},
    "suppress_and_release": {"STEPS": 15, "SENTENCES": 60, "HELD_OUT": 20},
}
# What stands in its cells for the long run, and what is written there for the short one: as many
# evaluations as an onset asks for.
SHORTER = {"probes_in_your_trainer": ("log:100", "log:1")}
# What a picture of it shows is its own matter: how many there are.
PICTURES = {"probes_in_your_trainer": 1, "series_to_statistics": 2, "suppress_and_release": 1}
MOST_BYTES = 150_000


def cells_of(source: Path) -> list[tuple[str, str, str]]:
    """Kind, what else its line says, and text of every cell of jupytext's percent format."""
    found = []
    for cell in re.split(r"^# %%", source.read_text(encoding="utf-8"), flags=re.M)[1:]:
        line, text = cell.split("\n", 1)
        if line.strip() == "[markdown]":
            prose = "\n".join(re.sub(r"^# ?", "", row) for row in text.strip().splitlines())
            found.append(("markdown", line, prose))
        else:
            found.append(("code", line, text.strip()))
    return found


def run(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], int]:
    """Every code cell with small parameters: the names at the end, how many pictures it drew."""
    drawn: list[int] = []

    def show() -> None:
        drawn.extend(plt.get_fignums())
        plt.close("all")

    monkeypatch.setattr(plt, "show", show)
    names: dict[str, Any] = {"__name__": name}
    for kind, line, text in cells_of(FOLDER / f"{name}.py"):
        if kind == "code":
            short = text.replace(*SHORTER.get(name, ("", "")))
            exec(compile(short, f"{name}.py", "exec"), names)
        if "parameters" in line:
            assert set(SMALL[name]) <= set(names), "a parameter that the tutorial no longer has"
            names.update(SMALL[name])
    return names, len(drawn)


@pytest.fixture(autouse=True)
def _pictures_in_memory() -> None:
    matplotlib.use("Agg")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder beside which docs/results lies, as it does for a notebook."""
    (tmp_path / "results").symlink_to(ROOT / "docs" / "results")
    (tmp_path / "tutorials").mkdir()
    monkeypatch.chdir(tmp_path / "tutorials")
    return tmp_path / "tutorials"


def test_probes_in_a_trainer_then_its_checkpoints_as_a_series(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names, drawn = run("probes_in_your_trainer", monkeypatch)
    table = names["table"]
    assert list(table.index) == list(range(8))
    assert table.notna().all(axis=None)
    assert table["best head"].between(0, 1).all()
    assert drawn == PICTURES["probes_in_your_trainer"]
    later, drawn = run("series_to_statistics", monkeypatch)
    # One probe, in the run and afterwards from its checkpoints, over the same sentences.
    assert later["heads"] == pytest.approx(table["best head"].to_numpy(), abs=1e-6)
    assert later["came"].count == 3
    assert later["came"].seeds == 4
    assert drawn == PICTURES["series_to_statistics"]
    assert "arrived at [14250.0, 6250.0, 6250.0, None]" in capsys.readouterr().out


def test_suppress_and_release(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names, drawn = run("suppress_and_release", monkeypatch)
    none, suppressed, released = (names["arms"][arm] for arm in names["arms"])
    assert list(none.index) == list(range(1, 16))
    let_go = names["LET_GO"]
    # Until it is let go, the third arm is the second; from there on it is a run of its own.
    assert suppressed.loc[:let_go].equals(released.loc[:let_go])
    assert not suppressed.loc[let_go + 1 :].equals(released.loc[let_go + 1 :])
    assert not none["eval_loss"].equals(suppressed["eval_loss"])
    assert drawn == PICTURES["suppress_and_release"]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
class TestNotebook:
    def test_it_is_of_this_source(self, source: Path) -> None:
        cells = notebook_of(source)["cells"]
        written = [(cell["cell_type"], "".join(cell["source"]).strip()) for cell in cells]
        expected = [(kind, text) for kind, _, text in cells_of(source)]
        assert written == expected, "write it anew: make tutorials"

    def test_it_was_run_once_from_top_to_bottom_without_a_failure(self, source: Path) -> None:
        code = [cell for cell in notebook_of(source)["cells"] if cell["cell_type"] == "code"]
        assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
        kinds = [output["output_type"] for cell in code for output in cell["outputs"]]
        assert "error" not in kinds
        assert "execute_result" in kinds

    def test_what_it_gave_is_small_has_its_pictures_and_no_path_of_a_machine(
        self, source: Path
    ) -> None:
        text = source.with_suffix(".ipynb").read_text(encoding="utf-8")
        assert len(text) < MOST_BYTES
        assert text.count('"image/png"') == PICTURES[source.stem]
        assert not re.search(r'[ "(](/[a-z]+/|/home|[A-Z]:\\\\)', text)
        assert "Warning" not in text


def notebook_of(source: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(source.with_suffix(".ipynb").read_text(encoding="utf-8"))
    return found


def test_every_tutorial_is_tried_and_made() -> None:
    assert {source.stem for source in SOURCES} == set(SMALL) == set(PICTURES)
