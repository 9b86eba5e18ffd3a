"""The file that is written: whole, by itself, and safe whatever names say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hf_grok import _optional
from hf_grok.cli import main as cli
from hf_grok.errors import UserError
from hf_grok.explorer import page, write, write_explorer
from hf_grok.explorer.charts import charts
from hf_grok.explorer.page import SCRIPTS, embedded
from tests.dynamics.tables import write_run
from tests.report.synthetic import question_run

NASTY = '</script><img src=x onerror=alert(1)>&"quoted"\u2028'


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library takes seconds to make, and tests/explorer/test_charts.py makes it."""
    monkeypatch.setattr(page, "library", lambda: "")
    monkeypatch.setattr(write, "library", lambda: "")


def data_in(text: str) -> Any:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    return json.loads(found)


def test_what_is_embedded_reads_back_and_ends_nothing() -> None:
    text = embedded({"name": NASTY, NASTY: [1.5, None]})
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text) == {"name": NASTY, NASTY: [1.5, None]}


@pytest.mark.usefixtures("without_library")
def test_names_with_html_in_them_are_text(tmp_path: Path) -> None:
    tag = "<img src=x onerror=alert(1)>"
    run = write_run(
        tmp_path / "run <b>&",
        [{"step": 0, "eval_loss": 1.0, f"eval_{NASTY}": 0.5}],
        recipe=tag,
        model={"name": tag, "parameters": 1, "layers": 1},
    )
    text = write_explorer([run], tmp_path / "page.html").read_text()
    assert tag not in text
    assert text.count("<img") == 0
    data = data_in(text)
    assert data["runs"][0]["name"] == "run <b>&"
    assert f"eval_{NASTY}" in data["runs"][0]["evaluations"]["columns"]


@pytest.mark.usefixtures("without_library")
def test_the_page_names_no_address_but_its_report(tmp_path: Path) -> None:
    run = question_run(tmp_path / "run", last=2_000)
    text = write_explorer([run], tmp_path / "a" / "page.html", report="report/x&y.html").read_text()
    assert 'href="report/x&amp;y.html"' in text
    without_data = text.replace(json.dumps(data_in(text)), "")
    addresses = set(re.findall(r"(?:src|href)=\"([^\"#][^\"]*)\"", without_data))
    assert addresses == {"data:,", "report/x&amp;y.html"}
    assert data_in(text)["charts"].keys() == charts().keys()


@pytest.mark.usefixtures("without_library")
def test_the_command_writes_beside_the_run_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = question_run(tmp_path / "run", last=2_000)
    assert cli(["explore", str(run)]) == 0
    page = run / "report" / "explore.html"
    assert f"open {page} in a browser" in capsys.readouterr().out
    assert "report.html" not in page.read_text()
    (run / "report" / "report.html").touch()
    assert cli(["explore", str(run)]) == 0
    assert 'href="report.html"' in page.read_text()
    (tmp_path / "file").touch()
    assert cli(["explore", str(run), "--out", str(tmp_path / "file" / "x.html")]) == 2
    assert "name another file with --out" in capsys.readouterr().err


def test_without_the_extra_it_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    page.library.cache_clear()
    monkeypatch.setattr(_optional.importlib, "import_module", missing)
    with pytest.raises(UserError, match=r"the charts of the explorer need vl_convert.*\[explore\]"):
        write_explorer([tmp_path], tmp_path / "page.html")


def test_every_script_of_the_folder_is_on_the_page() -> None:
    folder = Path(page.__file__).parent / "browser"
    assert sorted(SCRIPTS) == sorted(file.name for file in folder.glob("*.js"))
