from __future__ import annotations

import csv
import json
import re
import struct
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from hf_grok.dynamics import load_run
from hf_grok.errors import UserError
from hf_grok.report import write_report
from hf_grok.report.groups import group_runs
from hf_grok.report.page import make_section, render_page
from hf_grok.report.text.group_prose import describe_group
from tests.dynamics.tables import write_run
from tests.report.probed import probed_run
from tests.report.synthetic import question_rows, question_run

FAST: dict[str, Any] = {"last": 16_000, "every": 2_000, "arrival": 5_000}
NAMES = ["accuracy", "kinds", "early-stopping", "loss"]
STRUCTURE = ["trajectory", "structure", "relations", "trees", "attention"]


class Outline(HTMLParser):
    """Tags in order, all attributes, and whether every tag is closed where it should be."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    folder = tmp_path_factory.mktemp("one")
    run = question_run(folder / "run", **FAST)
    return run, write_report([run], folder / "report")


def test_every_file_is_written_and_not_empty(one: tuple[Path, list[Path]]) -> None:
    _, files = one
    folder = files[0].parent
    expected = [folder / "report.html", folder / "summary.csv"]
    expected += [folder / "figures" / f"{n}.{kind}" for n in NAMES for kind in ("svg", "png")]
    assert files == expected
    assert all(file.stat().st_size > 300 for file in files)


def test_pictures_are_pictures(one: tuple[Path, list[Path]]) -> None:
    for file in one[1]:
        if file.suffix == ".png":
            head = file.read_bytes()[:24]
            assert head[:8] == b"\x89PNG\r\n\x1a\n"
            assert struct.unpack(">II", head[16:])[0] == 1080
        if file.suffix == ".svg":
            assert file.read_text().count("<path") > 10


def test_the_page_begins_with_what_happened(one: tuple[Path, list[Path]]) -> None:
    run, files = one
    text = describe_group(group_runs([load_run(run)])[0])
    page = files[0].read_text()
    assert f'<p class="summary">{text}</p>' in page
    assert page.index(text) < page.index("<figure")


def test_the_page_holds_all_it_needs(one: tuple[Path, list[Path]]) -> None:
    page = one[1][0].read_text()
    outline = Outline(page)
    assert not outline.open
    assert outline.tags.count("svg") == len(NAMES)
    assert "script" not in outline.tags
    assert "://" not in page
    for name, value in outline.attributes:
        if name in {"href", "src", "xlink:href", "srcset", "data"}:
            assert value is not None
            assert value.startswith("#")
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    assert "@import" not in page


def test_the_page_is_valid_where_drawings_meet(one: tuple[Path, list[Path]]) -> None:
    page = one[1][0].read_text()
    outline = Outline(page)
    identifiers = [value for name, value in outline.attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))
    used = {v[1:] for n, v in outline.attributes if n.endswith("href") and v}
    used |= set(re.findall(r"url\(#([^)]+)\)", page))
    assert used <= set(identifiers)


def test_the_page_follows_the_readers_light_or_dark(one: tuple[Path, list[Path]]) -> None:
    page = one[1][0].read_text()
    assert "prefers-color-scheme: dark" in page
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL))
    assert "var(--vermilion)" in drawings
    assert not re.findall(r"#[0-9a-f]{6}\b", drawings)
    assert '"Segoe UI"' in page  # the style is not escaped


def test_the_table_has_the_numbers(one: tuple[Path, list[Path]]) -> None:
    run, files = one
    summary = group_runs([load_run(run)])[0].summaries[0]
    with files[1].open(newline="") as file:
        (record,) = csv.DictReader(file)
    assert record["recipe"] == "question-formation"
    assert summary.crossings[-1] is not None
    assert int(record["generalization_step_95"]) == summary.crossings[-1].step
    assert float(record["last_quarter_mean"]) == summary.last_quarter_mean
    assert float(record["grokking_delay"]) == summary.delay


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    folder = tmp_path_factory.mktemp("probed")
    run = probed_run(folder / "run", **FAST)
    failed = {"step": 2_000, "probe": "uas", "version": 1, "failed": "ValueError: <no> attention"}
    with (run / "probes.jsonl").open("a") as file:
        file.write(json.dumps(failed) + "\n")
    return run, write_report([run], folder / "report")


def test_structure_comes_after_what_it_should_foretell(probed: tuple[Path, list[Path]]) -> None:
    files = probed[1]
    assert [file.stem for file in files if file.suffix == ".png"] == [*NAMES, *STRUCTURE]
    page = files[0].read_text()
    places = [page.index(f'id="{name}-') for name in (*NAMES, *STRUCTURE)]
    assert places == sorted(places)


def test_a_page_of_probes_is_whole_valid_and_follows_light_and_dark(
    probed: tuple[Path, list[Path]],
) -> None:
    page = probed[1][0].read_text()
    outline = Outline(page)
    assert not outline.open
    assert outline.tags.count("svg") == len(NAMES) + len(STRUCTURE)
    assert "://" not in page
    identifiers = [value for name, value in outline.attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL))
    assert not re.findall(r"#[0-9a-f]{6}\b", drawings)


def test_the_page_says_structure_in_numbers_and_which_probe_failed(
    probed: tuple[Path, list[Path]],
) -> None:
    page = probed[1][0].read_text()
    assert (
        '<p class="warning">The probe uas failed at step 2,000, where its curves have no value: '
        "ValueError: &lt;no&gt; attention.</p>" in page
    )
    assert '<th scope="row">Tree projection: F1 with gold trees</th>' in page
    assert "; right-branching .58</span>" in page


def test_the_same_probed_run_gives_the_same_bytes(
    probed: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    run, files = probed
    again = write_report([run], tmp_path)
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in files]


def test_depths_are_compared_and_several_runs_have_their_stories(tmp_path: Path) -> None:
    runs = [
        question_run(
            tmp_path / f"{layers}-{seed}",
            seed=seed,
            info={"model": {"name": "vanilla_transformer", "layers": layers}},
            **FAST,
        )
        for layers, seed in [(2, 0), (2, 1), (6, 0)]
    ]
    files = write_report(runs, tmp_path / "out")
    names = {file.name for file in files}
    assert "depth-question-formation-quick.png" in names
    assert "question-formation-quick-2-layers-accuracy.svg" in names
    assert "question-formation-quick-6-layers-loss.svg" in names
    page = files[0].read_text()
    assert not Outline(page).open
    assert page.count("<section id=") == 2
    assert page.count("Run by run") == 1
    assert "Numbers by run" in page


def test_runs_need_not_measure_everything(tmp_path: Path) -> None:
    bare = [{"step": 0, "eval_in_distribution_accuracy": 0.1, "eval_generalization_accuracy": 0.1}]
    names = {file.stem for file in write_report([write_run(tmp_path / "a", bare)], tmp_path / "b")}
    assert names == {"report", "summary", "accuracy", "early-stopping"}


def test_the_same_run_gives_the_same_bytes_whatever_the_users_settings(
    one: tuple[Path, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import matplotlib

    run, files = one
    # Another test of this process may have imported it: only what a report imports is asked.
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    with matplotlib.rc_context({"lines.linewidth": 9, "axes.facecolor": "red"}):
        again = write_report([run], tmp_path)
        assert matplotlib.rcParams["lines.linewidth"] == 9
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in files]
    assert "matplotlib.pyplot" not in sys.modules


def test_a_failed_run_is_reported_as_such_and_its_words_are_escaped(tmp_path: Path) -> None:
    info = {"status": "failed", "reason": "loss <b>NaN</b>"}
    run = question_run(tmp_path / "run", info=info, **FAST)
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 9000, "ev')
    page = render_page([make_section(*group_runs([load_run(run)]), [])], [])
    assert "This run failed (last evaluation at step 16,000): loss &lt;b&gt;NaN&lt;/b&gt;." in page
    assert "the last line was cut while it was written" in page


@pytest.mark.parametrize("package", ["matplotlib", "pandas"])
def test_a_missing_package_names_the_extra(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run(tmp_path / "run", question_rows(**FAST)[:3])
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Without(package), *sys.meta_path])
    with pytest.raises(UserError, match=rf'need {package}.*pip install "hf-grok\[report\]"'):
        write_report([run], tmp_path / "out")


class Without:
    """An import machinery in which one package is not installed."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="name at least one run"):
        write_report([], tmp_path)
    run = write_run(tmp_path / "run", question_rows(**FAST)[:3])
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write to .*file.figures .*--out"):
        write_report([run], tmp_path / "file")


def test_its_contents_lead_to_every_figure_and_table(tmp_path: Path) -> None:
    runs = [question_run(tmp_path / "one", **FAST), probed_run(tmp_path / "two", **FAST)]
    model = {"name": "vanilla_transformer", "parameters": 1, "layers": 2}
    runs.append(question_run(tmp_path / "three", info={"model": model}, **FAST))
    for chosen in (runs[1:2], runs):
        page = write_report(chosen, tmp_path / "report")[0].read_text()
        attributes = Outline(page).attributes
        places = [value for name, value in attributes if name == "id"]
        links = [value for name, value in attributes if name == "href" and value]
        wanted = {link.removeprefix("#") for link in links if link.startswith("#")}
        assert wanted <= set(places)
        figures = set(re.findall(r'<figure id="([^"]+)">', page))
        assert figures <= wanted
        assert len(figures) == page.count("<figure")
        assert len(places) == len(set(places))


def test_it_links_the_page_that_can_be_asked_where_it_lies_beside(tmp_path: Path) -> None:
    run = question_run(tmp_path / "run", **FAST)
    page = write_report([run], tmp_path / "report")[0]
    assert "explore.html" not in page.read_text()
    (tmp_path / "report" / "explore.html").touch()
    write_report([run], tmp_path / "report")
    assert page.read_text().count('href="explore.html"') == 1
