"""One HTML file from the data of runs: charts, script and library inside, no address outside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from hf_grok._optional import import_optional
from hf_grok.explorer.charts import DASHES, HUES, charts
from hf_grok.report.style.palette import COLOURS

# The newest of vl-convert-python 1.9 is 6.4, whose nearest points lose what their tooltips say.
VEGA_LITE = "6.1"
# In the order in which they are read: the later ones call the earlier.
SCRIPTS = ("state.js", "lookup.js", "figures.js", "curves.js", "panels.js", "page.js")
_FOLDER = "browser"


def render_page(data: Mapping[str, Any], report: str | None = None) -> str:
    """The page's HTML.

    Args:
        data: as `page_data` gives them.
        report: address of the runs' report, relative to the page; None for no link.

    Raises:
        UserError: vl-convert-python is not installed.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hf_grok.explorer", package_path=_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    drawn = {**data, "charts": charts(), "hues": HUES, "dashes": DASHES}
    return environment.get_template("page.html.jinja").render(
        data=data,
        json=embedded(drawn),
        report=report,
        colours=COLOURS,
        css=_text("page.css"),
        library=library(),
        script="\n".join(map(_text, SCRIPTS)),
    )


def embedded(content: Any) -> str:
    """JSON that may stand inside <script>: no text in it can end the element or begin another."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@lru_cache(maxsize=1)
def library() -> str:
    """Vega, Vega-Lite and vega-embed as one script, which sets `vegaEmbed`; made without network.

    Raises:
        UserError: vl-convert-python is not installed.
    """
    package = import_optional("vl_convert", extra="explore", purpose="the charts of the explorer")
    script = str(package.javascript_bundle(vl_version=VEGA_LITE))
    return script.replace("</script", "<\\/script")


def _text(name: str) -> str:
    return files("hf_grok.explorer").joinpath(_FOLDER, name).read_text(encoding="utf-8")
