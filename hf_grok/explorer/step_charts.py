"""Charts of one step, as layers: trees, attention maps, and shares beside what they must beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hf_grok.explorer.channels import GRID, INK, MUTED, PAPER, named, quantity, tooltip
from hf_grok.report.style.palette import colour

SHADES = {"domain": [0, 1], "range": [PAPER, "#08306b"], "interpolate": "rgb"}
BAR = colour("blue")
RIGHT_WRONG: Mapping[str, Any] = {
    "domain": ["in the gold tree", "not in it", "gold not known"],
    "range": [colour("blue"), colour("vermilion"), MUTED],
}


def tree_layers() -> list[dict[str, Any]]:
    """Brackets over the words for the gold tree, under them for the projected one."""
    x = quantity("start", axis=None, scale={"nice": False})
    y = quantity("level", axis=None, scale={"nice": False})
    verdict = {
        "color": named("verdict", scale=RIGHT_WRONG),
        "strokeDash": named(
            "verdict", scale={"domain": RIGHT_WRONG["domain"], "range": [[1, 0], [5, 3], [1, 0]]}
        ),
    }
    fields = tooltip("tree", "words", "verdict")
    return [
        {
            "data": {"name": "spans"},
            "mark": {"type": "rule", "strokeWidth": 2.2},
            "encoding": {
                "x": x,
                "x2": {"field": "end"},
                "y": y,
                **verdict,
                "tooltip": fields,
            },
        },
        *(
            {
                "data": {"name": "spans"},
                "mark": {"type": "rule", "strokeWidth": 2.2},
                "encoding": {
                    "x": quantity(side),
                    "y": y,
                    "y2": {"field": "foot"},
                    **verdict,
                    "tooltip": fields,
                },
            }
            for side in ("start", "end")
        ),
        {
            "data": {"name": "words"},
            "mark": {"type": "text", "fontSize": 13, "color": INK, "baseline": "middle"},
            "encoding": {"x": quantity("start"), "y": y, "text": named("word")},
        },
    ]


def map_layers() -> list[dict[str, Any]]:
    """Shades of attention, a row for each word that attends; rings and crosses on gold arcs."""
    words = {"labelExpr": "words[datum.value]", "labelLimit": 78, "ticks": False, "domain": False}
    ordinal = {"type": "ordinal", "sort": None}
    x = {"field": "column", **ordinal, "axis": {**words, "labelAngle": -90, "title": "attended"}}
    y = {"field": "row", **ordinal, "axis": {**words, "title": "attending"}}
    fields = tooltip("attending", "attended", "weight", "gold arc")
    found = {"domain": ["found", "missed"], "range": ["circle", "cross"]}
    shape = named("gold arc", scale=found)
    return [
        {
            "data": {"name": "cells"},
            "mark": {"type": "rect", "stroke": GRID, "strokeWidth": 0.5},
            "encoding": {
                "x": x,
                "y": y,
                "color": quantity("share", scale=SHADES),
                "tooltip": fields,
            },
        },
        # Light below, so that a mark is seen on a dark cell, in grey too.
        *(
            {
                "data": {"name": "arcs"},
                "mark": {"type": "point", "size": 70, "strokeWidth": width, "opacity": 1},
                "encoding": {"x": x, "y": y, "shape": shape, "color": {"value": shade}, **said},
            }
            for width, shade, said in (
                (5, PAPER, {}),
                (2.2, colour("vermilion"), {"tooltip": fields}),
            )
        ),
    ]


def bar_layers() -> list[dict[str, Any]]:
    """Shares of one step, each with a bar's length and what it must beat as a tick."""
    y = named("row", sort=None, axis={"title": None, "labelLimit": 210})
    x = quantity("y", scale={"domain": [0, 1]}, axis={"title": None, "tickCount": 5})
    fields = tooltip("row", "value", "interval", "to beat")
    return [
        {
            "data": {"name": "rows"},
            "mark": {
                "type": "bar",
                "height": {"band": 0.62},
                "color": colour("blue"),
                "opacity": 0.75,
            },
            "encoding": {"x": x, "y": y, "tooltip": fields},
        },
        {
            "data": {"name": "rows"},
            "transform": [{"filter": "isValid(datum.beat)"}],
            "mark": {"type": "tick", "thickness": 3, "color": INK, "height": {"band": 0.9}},
            "encoding": {"x": quantity("beat"), "y": y, "tooltip": fields},
        },
    ]
