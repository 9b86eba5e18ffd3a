"""What charts are put together from: channels of Vega-Lite, and the colours of the paper."""

from __future__ import annotations

from typing import Any

from hf_grok.report.style.palette import COLOURS

INK, MUTED, GRID, PAPER = (COLOURS[name][0] for name in ("ink", "muted", "grid", "paper"))


def quantity(field: str, **more: Any) -> dict[str, Any]:
    """A field that is a number."""
    return {"field": field, "type": "quantitative", **more}


def named(field: str, **more: Any) -> dict[str, Any]:
    """A field that is a name."""
    return {"field": field, "type": "nominal", **more}


def tooltip(*fields: str) -> list[dict[str, str]]:
    """Texts that the page has written itself, so that a table can say the same."""
    return [{"field": field, "type": "nominal", "title": field} for field in fields]
