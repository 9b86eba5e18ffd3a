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
