"""The page in a real browser: what it shows is what the runs say, and nothing leaves it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hf_grok.explorer import write_explorer
from tests.dynamics.tables import write_run
from tests.explorer.chromium import WIDTHS, Opened, chromium, started
from tests.explorer.test_reading import write_sweep
from tests.report.probed import RIGHT_BRANCHING, WORDS, probed_run
from tests.report.synthetic import dyck_rows, question_rows

pytest.importorskip("playwright", reason="the extra browser is not installed")
if chromium() is None:
    pytest.skip("no chromium is on this machine: make test-browser", allow_module_level=True)

ACCURACY = "eval_generalization_accuracy"
TAG = "<img src=x onerror=window.alerted=1>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as found:
        yield found


@dataclass(frozen=True)
class Pages:
    """A probed run, a sweep of two arms, and runs that are odd, each with its page, open."""

    folder: Path
    run: Path
    probed: Opened
    sweep: Opened
    odd: Opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Pages:
    folder = tmp_path_factory.mktemp("pages")
    run = folder / "probed-run"
    probed_run(run, last=4_000)
    _with_tokens_and_counts(run)
    sweep = write_sweep(folder / "sweep", {"base": [0, 1], "deep": [0, 1]}, [0, 1])
    right = {"eval_in_distribution_accuracy": 1.0}
    many = [{"step": n, ACCURACY: n / 2_000, **right} for n in range(2_000)]
    odd = [
        write_run(folder / "many", many),
        write_run(folder / f"named {TAG[:20]}", dyck_rows(last=2_000), recipe=TAG),
        write_run(folder / "unfinished", question_rows(last=1_000), status="running", seed=3),
    ]
    return Pages(
        folder,
        run,
        Opened(browser, write_explorer([run], folder / "probed.html")),
        Opened(browser, write_explorer([sweep], folder / "sweep.html")),
        Opened(browser, write_explorer(odd, folder / "odd.html"), "#run=many&step=0"),
    )


def _with_tokens_and_counts(run: Path) -> None:
    info = json.loads((run / "run.json").read_text())
    info["arguments"] |= {"language": "question-formation", "evaluation_examples": 500}
    (run / "run.json").write_text(json.dumps(info))
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for row in rows:
        if "eval_loss" in row:
            row["eval_tokens_seen"] = row["step"] * 100
            row[ACCURACY] = round(row[ACCURACY] * 500) / 500
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def evaluations(run: Path) -> dict[int, dict[str, float]]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {row["step"]: row for row in rows if "eval_loss" in row}


def pictures(run: Path) -> dict[tuple[str, int], Any]:
    lines = [json.loads(line) for line in (run / "probes.jsonl").read_text().splitlines()]
    return {(line["probe"], line["step"]): line["picture"] for line in lines}


def table(opened: Opened, place: str) -> list[list[str]]:
    rows = opened.page.locator(f"{place} tr").all()
    return [[cell.text_content() for cell in row.locator("th, td").all()] for row in rows]


@pytest.mark.parametrize("name", ["probed", "sweep", "odd"])
def test_nothing_is_complained_of_and_nothing_leaves_the_page(pages: Pages, name: str) -> None:
    opened = getattr(pages, name)
    assert opened.complaints == []  # of how it opened
    assert opened.requests == []
    opened.go()
    opened.draw_all()
    for option in ("means", "runs"):
        opened.page.select_option("[name=lines]", option)
        opened.page.select_option("[name=scale]", "linear" if option == "means" else "log")
        opened.settle()
    assert opened.complaints == []
    assert opened.requests == []
    assert opened.page.evaluate("performance.getEntriesByName('first-picture').length") == 1
    assert opened.page.locator("canvas").count() >= 2


def test_the_slider_moves_trees_and_maps_to_what_was_recorded(pages: Pages) -> None:
    opened, recorded = pages.probed.go(), pictures(pages.run)
    opened.draw_all()
    steps = sorted(step for probe, step in recorded if probe == "tree")
    slider = opened.page.locator("[name=place]")
    for step in (steps[-1], steps[3], steps[0]):
        slider.fill(str(steps.index(step)))
        opened.settle()
        spans = opened.drawn("panels[0].figure", "spans")
        projected = recorded["tree", step]["sentences"][0]["projected"]
        assert projected == sorted(
            [round(one["start"]), round(one["end"])] for one in spans if one["tree"] == "projected"
        )
        wrong = {one["words"] for one in spans if one["verdict"] == "not in it"}
        assert bool(wrong) == (projected == RIGHT_BRANCHING)
        weights = recorded["uas", step]["sentences"][0]["maps"]["nsubj"]
        cells = opened.drawn("panels[1].figures.get('nsubj')", "cells")
        assert len(cells) == len(WORDS) ** 2
        for cell in cells:
            assert abs(cell["share"] - weights[cell["row"]][cell["column"]]) <= 0.005 + 1e-9
        head = recorded["uas", step]["best_heads"]["nsubj"]
        title = opened.page.locator("#maps .title", has_text="nsubj").text_content()
        assert title.startswith(f"nsubj: L{head['layer']} H{head['head']}")
        said = slider.get_attribute("aria-valuetext")
        assert said == f"step {step:,}"


def test_tables_of_a_step_say_what_was_measured_then(pages: Pages) -> None:
    opened = pages.probed.go("#step=1000")
    row = evaluations(pages.run)[1_000]
    relations = {name: rest for name, *rest in table(opened, "#relations")[1:]}
    assert relations["nsubj"][0] == f"{row['eval_uas_relation_nsubj']:.3f}"
    assert relations["nsubj"][2] == f"{row['eval_uas_relation_offset_nsubj']:.3f}"
    answers = {name: value for name, value, *_ in table(opened, "#answers")[1:]}
    assert answers["object relative"] == f"{row[ACCURACY + '_rc_object']:.3f}"
    assert answers["wrong rule: linear rule"] == f"{row['eval_generalization_linear_share']:.3f}"


def test_a_hover_says_what_the_table_says(pages: Pages) -> None:
    opened = pages.probed.go(f"#step=1000&show={ACCURACY}")
    place = opened.page.evaluate(
        """(column) => {
          const figure = explorer.curves.figures.get(column);
          const { view } = figure.result;
          const point = view.data('points').find((one) => one.at === 1000);
          const box = figure.chart.querySelector('canvas').getBoundingClientRect();
          const [left, top] = view.origin();
          return [box.x + left + view.scale('x')(point.x), box.y + top + view.scale('y')(point.y)];
        }""",
        ACCURACY,
    )
    opened.page.mouse.move(place[0] - 3, place[1] - 3)
    opened.page.mouse.move(*place, steps=3)
    tooltip = opened.page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    said = dict(re.findall(r"(run|step|value|interval)\t?\n?\s*([^\n]+)", tooltip.inner_text()))
    _, (run, cell) = table(opened, "#at-step")
    value = evaluations(pages.run)[1_000][ACCURACY]
    assert said["run"] == run == "probed-run"
    assert said["step"] == "1,000"
    assert said["value"] == f"{value:.3f}"
    assert cell == f"{said['value']}{said['interval']}"
    assert said["interval"].endswith("of 500")
    opened.page.mouse.click(*place)
    assert opened.page.evaluate("explorer.view.step") == 1_000


def test_a_linked_view_opens_as_it_was(pages: Pages, browser: Any) -> None:
    first = pages.sweep.go()
    first.page.select_option("[name=by]", "depth")
    first.page.select_option("[name=lines]", "means")
    first.page.select_option("[name=scale]", "linear")
    first.page.select_option("[name=run]", label="deep-seed1")
    first.page.locator("#legend input").nth(0).uncheck()
    first.page.locator("#back").click()
    first.page.evaluate("document.getElementById('picker').open = true")
    first.page.get_by_role("checkbox", name="loss, training").check()
    first.settle()
    address = first.page.locator("#here").get_attribute("href")
    assert first.page.url.endswith(address)
    other = Opened(browser, pages.folder / "sweep.html", address)
    assert other.page.evaluate("explorer.view") == first.page.evaluate("explorer.view")
    assert other.page.locator("#problems").text_content() == ""
    for place in ("#at-step", "#legend", "#step-said"):
        assert other.page.inner_text(place) == first.page.inner_text(place)
    assert other.page.input_value("[name=by]") == "depth"
    assert other.page.is_checked("[value='training:loss']")


@pytest.mark.parametrize(
    ("address", "said", "step"),
    [
        ("#step=1001", "step 1001, which is not here.*nearest one, 1,000", 1_000),
        ("#step=late", "step late.*the last one, 4,000", 4_000),
        ("#run=other&step=0", "run other, which is not here.*Shown is probed-run", 0),
        ("#scale=cubic", "scale cubic.*expected log or linear.*Shown is log", 4_000),
        (f"#show={ACCURACY}%20eval_nothing", "the number eval_nothing", 4_000),
        ("#tree=9", "tree 9.*expected 0 to 0", 4_000),
    ],
)
def test_what_a_link_asks_for_in_vain_is_said(
    pages: Pages, address: str, said: str, step: int
) -> None:
    opened = pages.probed.go(address)
    problem = opened.page.locator("#problems p")
    assert problem.count() == 1
    assert re.search(said, problem.text_content())
    assert opened.page.evaluate("explorer.view.step") == step
    assert opened.complaints == []


def test_keys_step_and_a_button_plays(pages: Pages) -> None:
    opened = pages.probed.go()
    steps = sorted(evaluations(pages.run))
    keys = ("ArrowLeft", "Home", "ArrowRight", "ArrowRight", "End", "ArrowRight")
    for key, place in zip(keys, (-2, 0, 1, 2, -1, -1), strict=True):
        opened.page.keyboard.press(key)
        assert opened.page.evaluate("explorer.view.step") == steps[place]
    opened.page.keyboard.press("p")
    assert opened.page.get_attribute("#play", "aria-pressed") == "true"
    opened.page.wait_for_function("explorer.view.step === 1")
    opened.page.locator("#play").click()
    assert opened.page.inner_text("#play") == "Play"


def test_every_control_is_reached_by_tab(pages: Pages) -> None:
    opened = pages.probed.go()
    opened.draw_all()
    wanted = opened.page.evaluate(
        """() => {
          const all = [...document.querySelectorAll('select, button, input, summary, a[href]')]
            .filter((one) => one.checkVisibility());
          all.forEach((one, place) => { one.dataset.place = place; });
          return all.length;
        }"""
    )
    seen = set()
    for _ in range(wanted + 20):
        opened.page.keyboard.press("Tab")
        seen.add(opened.page.evaluate("document.activeElement.dataset.place ?? null"))
    assert seen - {None} == {str(place) for place in range(wanted)}


@pytest.mark.parametrize("name", ["probed", "sweep"])
def test_axe_finds_nothing_serious(pages: Pages, name: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    opened = getattr(pages, name).go()
    opened.page.evaluate("document.getElementById('picker').open = true")
    opened.draw_all()
    found = Axe().run(opened.page).response["violations"]
    assert [(one["id"], one["impact"], one["nodes"][0]["html"][:200]) for one in found] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_width_needs_scrolling_sideways(pages: Pages, width: int) -> None:
    for opened in (pages.probed, pages.sweep, pages.odd):
        opened.go(width=width)
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_names_with_html_in_them_are_shown_as_they_are(pages: Pages) -> None:
    opened = pages.odd.go()
    opened.draw_all()
    assert opened.page.locator("img").count() == 0
    assert opened.page.evaluate("window.alerted") is None
    assert TAG in opened.page.inner_text("h1")
    assert TAG in opened.page.inner_text("header")


def test_runs_of_different_data_share_no_group(pages: Pages) -> None:
    opened = pages.odd.go()
    opened.page.select_option("[name=by]", "seed")
    groups = opened.page.locator("#legend label").all_inner_texts()
    assert sorted(groups) == sorted(
        ["question-formation: seed 0", f"{TAG}: seed 0", "question-formation: seed 3"]
    )


def test_two_thousand_evaluations_can_be_gone_through(pages: Pages) -> None:
    opened = pages.odd.go("#run=many&step=1234")
    assert opened.page.get_attribute("[name=place]", "max") == "1999"
    assert opened.page.input_value("[name=place]") == "1234"
    cells = {name: rest for name, *rest in table(opened, "#at-step")}
    assert any("0.617" in cell for cell in cells["many"])
    assert any("at step 1,000" in cell for cell in cells["unfinished"])


def test_a_run_without_probes_says_what_is_missing_and_how_to_get_it(pages: Pages) -> None:
    opened = pages.sweep.go()
    for part, probe in (
        ("trees", "tree"),
        ("maps", "uas"),
        ("relations", "uas"),
        ("paradigms", "pairs"),
    ):
        assert f"--probes {probe};" in opened.page.inner_text(f"#{part}")


def test_a_run_that_is_going_on_says_so(pages: Pages) -> None:
    opened = pages.odd.go("#run=unfinished")
    assert "not finished" in opened.page.inner_text("#run-notes")
    assert "unfinished (running)" in opened.page.inner_text("[name=run]")


def test_groups_that_are_taken_out_leave_the_curves(pages: Pages) -> None:
    opened = pages.sweep.go()
    loss = "curves.figures.get('eval_loss')"
    assert len({one["run"] for one in opened.drawn(loss, "points")}) == 4
    opened.page.get_by_label("base", exact=True).uncheck()
    opened.settle()
    assert {one["run"] for one in opened.drawn(loss, "points")} == {"deep-seed0", "deep-seed1"}
    assert [row[0] for row in table(opened, "#at-step")[1:]] == ["deep-seed0", "deep-seed1"]


def test_arrivals_are_of_groups_of_several_runs(pages: Pages) -> None:
    opened = pages.sweep.go("#by=arm")
    opened.draw_all()
    curves = opened.page.evaluate("explorer.data.arrivals.curves")
    wanted = [
        [one["group"], *row[:2]] for one in curves if one["by"] == "arm" for row in one["rows"]
    ]
    rows = opened.drawn("curves.arrivals", "points")
    assert [[row["group"], row["at"], row["y"]] for row in rows] == wanted
    opened.page.select_option("[name=by]", "seed")
    assert opened.page.locator("#arrivals .title").is_visible()
    assert not opened.page.locator("#arrivals button").first.is_visible()
    opened.page.select_option("[name=by]", "arm")
    assert opened.page.locator("#arrivals button").first.is_visible()


def test_means_are_those_of_the_runs(pages: Pages) -> None:
    opened = pages.sweep.go("#lines=means")
    points = opened.drawn("curves.figures.get('eval_loss')", "points")
    folder = pages.folder / "sweep"
    losses = [evaluations(folder / f"base-seed{seed}") for seed in (0, 1)]
    base = {one["at"]: one for one in points if one["group"] == "base"}
    assert base.keys() == losses[0].keys()
    for step, one in base.items():
        values = [run[step]["eval_loss"] for run in losses]
        assert one["mean"] == pytest.approx(sum(values) / 2, rel=1e-4)
        assert (one["low"], one["high"]) == pytest.approx((min(values), max(values)), rel=1e-4)


def test_curves_go_along_tokens_with_their_marks(pages: Pages) -> None:
    opened = pages.probed.go(f"#x=tokens&show={ACCURACY}%20eval_in_distribution_accuracy")
    seen = "curves.figures.get('eval_in_distribution_accuracy')"
    points, marks = opened.drawn(seen, "points"), opened.drawn(seen, "marks")
    assert all(one["x"] == 100 * one["at"] for one in points)
    assert marks
    assert all(one["x"] == pytest.approx(100 * one["at"]) for one in marks)
    assert opened.complaints == []


def test_a_figure_is_saved_as_picture_and_as_table(pages: Pages) -> None:
    opened = pages.probed.go(f"#show={ACCURACY}")
    saved = {}
    for kind in ("as PNG", "data as CSV"):
        with opened.page.expect_download() as download:
            opened.page.get_by_label(f"Save {kind}: accuracy, generalization").click()
        saved[download.value.suggested_filename] = Path(download.value.path()).read_bytes()
    assert saved[f"{ACCURACY}.png"].startswith(b"\x89PNG")
    rows = list(csv.DictReader(io.StringIO(saved[f"{ACCURACY}.csv"].decode())))
    recorded = evaluations(pages.run)
    assert [int(row["step"]) for row in rows] == sorted(recorded)
    for row in rows:
        assert float(row["value"]) == pytest.approx(recorded[int(row["step"])][ACCURACY], rel=1e-5)
        assert float(row["low"]) <= float(row["value"]) <= float(row["high"])


def test_each_number_of_the_list_can_be_drawn(pages: Pages) -> None:
    opened = pages.probed.go()
    every = opened.page.evaluate("Object.keys(explorer.data.numbers)")
    opened.page.evaluate("(every) => explorer.change({ show: every })", every)
    opened.draw_all()
    assert opened.page.locator("#charts canvas").count() == len(every)
    assert opened.complaints == []
