"""Every chart is what Vega-Lite takes, and the library is there whole, without an address."""

from __future__ import annotations

import re
from typing import Any

import pytest
import vl_convert

from hf_grok.explorer.charts import DASHES, HUES, charts
from hf_grok.explorer.page import VEGA_LITE, library


@pytest.mark.parametrize("name", charts())
def test_vega_lite_compiles_the_chart(name: str) -> None:
    made: dict[str, Any] = vl_convert.vegalite_to_vega({**charts()[name], "width": 300}, VEGA_LITE)
    named = {source["name"] for source in made["data"]}
    wanted = {layer["data"]["name"] for layer in charts()[name]["layer"]}
    assert wanted <= named


@pytest.mark.parametrize("name", ["curve", "means"])
def test_the_nearest_point_says_what_its_row_does(name: str) -> None:
    made: dict[str, Any] = vl_convert.vegalite_to_vega({**charts()[name], "width": 300}, VEGA_LITE)
    (nearest,) = [mark for mark in made["marks"] if mark["name"].endswith("voronoi")]
    assert 'datum.datum["step"]' in nearest["encode"]["update"]["tooltip"]["signal"]


@pytest.mark.parametrize(("name", "line", "y"), [("curve", "run", "y"), ("means", "group", "mean")])
def test_what_was_measured_once_is_a_dot(name: str, line: str, y: str) -> None:
    """A line of one point is none: numbers of a last checkpoint would be an empty frame."""
    places = [(1, "a"), (2, "a"), (9, "b")]
    points = [{"x": x, y: 0.5, "low": 0.4, "high": 0.6, line: of} for x, of in places]
    spec = {**charts()[name], "width": 300, "layer": list(charts()[name]["layer"])}
    named = {"points": points, "baselines": [], "marks": [], "now": []}
    for layer in spec["layer"]:
        layer["data"] = {"values": named[layer["data"]["name"]]}
    drawn = vl_convert.vegalite_to_svg({**spec, "width": 300}, VEGA_LITE)
    dots = re.findall(r'<path aria-label="([^"]*)"[^>]*aria-roledescription="point"', drawn)
    count = {x: sum(f"x: {x}" in dot for dot in dots) for x in (1, 2, 9)}
    assert count[9] == count[1] + 1 == count[2] + 1


def test_lines_of_twenty_groups_differ_without_their_hue() -> None:
    looks = [(HUES[n % len(HUES)], tuple(DASHES[n % len(DASHES)])) for n in range(20)]
    assert len(set(looks)) == 20


def test_the_library_ends_no_script_and_fetches_nothing_by_itself() -> None:
    script = library()
    assert "</script" not in script
    assert "window.vegaEmbed=" in script
    assert len(script) < 1_200_000  # it is in every page
    addresses = set(re.findall(r"https?://([\w.]+)", script))
    # Names of XML, of a schema and of an issue; the editor is a menu's, which pages leave out.
    assert addresses <= {"www.w3.org", "vega.github.io", "github.com"}
