"""The page's charts as Vega-Lite specifications, without their data, which the page puts in.

Lines differ by dashes as well as by colour, marks by shape: the page can be read in grey.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hf_grok.report.style.palette import COLOURS, colour

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
# Hues in the order of groups; the dashes change with every round of them.
HUES = tuple(colour(name) for name in ("blue", "vermilion", "green", "purple", "ink"))
DASHES: tuple[list[float], ...] = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3])
INK, MUTED, GRID, PAPER = (COLOURS[name][0] for name in ("ink", "muted", "grid", "paper"))
SHADES = {"domain": [0, 1], "range": [PAPER, "#08306b"], "interpolate": "rgb"}
CURVE_HEIGHT = 190
RIGHT_WRONG: Mapping[str, Any] = {
    "domain": ["in the gold tree", "not in it", "gold not known"],
    "range": [colour("blue"), colour("vermilion"), MUTED],
}
CONFIG: Mapping[str, Any] = {
    "background": PAPER,
    "font": 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif',
    "axis": {
        "labelColor": INK,
        "titleColor": MUTED,
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "gridColor": GRID,
        "domainColor": MUTED,
        "tickColor": MUTED,
    },
    "view": {"stroke": None},
    "legend": {"disable": True},
}


def charts() -> dict[str, Any]:
    """Name -> specification."""
    return {
        "curve": _chart(_curve_layers()),
        "means": _chart(_mean_layers()),
        "arrivals": _chart(_arrival_layers()),
        "trees": _chart(_tree_layers()),
        "map": _chart(_map_layers()),
        "bars": _chart(_bar_layers()),
    }


def _chart(layers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": CURVE_HEIGHT,
        "autosize": {"type": "fit", "contains": "padding"},
        "config": CONFIG,
        "layer": layers,
    }


def _quantity(field: str, **more: Any) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", **more}


def _named(field: str, **more: Any) -> dict[str, Any]:
    return {"field": field, "type": "nominal", **more}


def _tooltip(*fields: str) -> list[dict[str, str]]:
    """Texts that the page has written itself, so that a table can say the same."""
    return [{"field": field, "type": "nominal", "title": field} for field in fields]


# The page sets the scales of x, y, hue and dashes in the first layer; the others share them.
_X, _Y = _quantity("x", axis={"grid": False}), _quantity("y", axis={"tickCount": 5})
_GROUP = {
    "color": _named("group", scale={"domain": [], "range": []}),
    "strokeDash": _named("group", scale={"domain": [], "range": []}),
}


def _curve_layers() -> list[dict[str, Any]]:
    """Lines of runs over what they must beat, with marks, the step of the page, and a hover."""
    places = {"x": _X, "y": _Y}
    fields = ("run", "step", "value", "interval")
    return [
        {
            "data": {"name": "points"},
            "mark": {"type": "line", "strokeWidth": 1.8, "clip": True},
            "encoding": {**places, **_GROUP, "detail": _named("run")},
        },
        _baselines(),
        *_marks_and_now(),
        _hover({**places, "color": _GROUP["color"]}, fields),
        _hovered(places),
    ]


def _mean_layers() -> list[dict[str, Any]]:
    """Mean and range of each group, at the steps that all its runs have."""
    places = {"x": _X, "y": _quantity("mean", axis={"tickCount": 5})}
    fields = ("group", "step", "mean of runs", "lowest and highest")
    return [
        {
            "data": {"name": "points"},
            "mark": {"type": "line", "strokeWidth": 2.2, "clip": True},
            "encoding": {**places, **_GROUP},
        },
        {
            "data": {"name": "points"},
            "mark": {"type": "area", "opacity": 0.16, "clip": True},
            "encoding": {
                "x": _X,
                "y": _quantity("low"),
                "y2": {"field": "high"},
                "color": _GROUP["color"],
            },
        },
        _baselines(),
        *_marks_and_now(),
        _hover({**places, "color": _GROUP["color"]}, fields),
        _hovered(places),
    ]


def _baselines() -> dict[str, Any]:
    return {
        "data": {"name": "baselines"},
        "mark": {"type": "line", "strokeDash": [4, 3], "strokeWidth": 1.2, "color": MUTED},
        "encoding": {"x": _X, "y": _Y, "detail": _named("line")},
    }


def _marks_and_now() -> list[dict[str, Any]]:
    at_foot = {"y": {"value": "height"}, "color": _GROUP["color"]}
    return [
        {
            "data": {"name": "marks"},
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.45},
            "encoding": {"x": _quantity("from"), "x2": {"field": "to"}, **at_foot},
        },
        {
            "data": {"name": "marks"},
            "mark": {"type": "point", "size": 70, "filled": True, "opacity": 1, "stroke": INK},
            "encoding": {
                "x": _X,
                **at_foot,
                "shape": _named(
                    "kind",
                    scale={
                        "domain": ["onset", "crossing"],
                        "range": ["triangle-up", "diamond"],
                    },
                ),
                "tooltip": _tooltip("run", "mark", "step", "between"),
            },
        },
        {
            "data": {"name": "now"},
            "mark": {"type": "rule", "color": INK, "strokeWidth": 1},
            "encoding": {"x": _X},
        },
    ]


def _hover(encoding: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """Unseen points, the nearest of which says its numbers, and moves the page when chosen."""
    chosen = {"type": "point", "on": "pointerover", "nearest": True, "clear": "pointerout"}
    return {
        "data": {"name": "points"},
        "params": [{"name": "hover", "select": chosen}],
        "mark": {"type": "point", "opacity": 0, "size": 60},
        "encoding": {**encoding, "tooltip": _tooltip(*fields)},
    }


def _hovered(places: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": {"name": "points"},
        "transform": [{"filter": {"param": "hover", "empty": False}}],
        "mark": {"type": "point", "filled": True, "size": 55, "opacity": 1, "stroke": INK},
        "encoding": {**places, "color": _GROUP["color"]},
    }


def _arrival_layers() -> list[dict[str, Any]]:
    """Steps of the fraction of runs that have arrived, each with its interval."""
    stepped = {"interpolate": "step-after", "clip": True}
    return [
        {
            "data": {"name": "points"},
            "mark": {"type": "line", "strokeWidth": 2.2, **stepped},
            "encoding": {"x": _X, "y": _Y, **_GROUP},
        },
        {
            "data": {"name": "points"},
            "mark": {"type": "area", "opacity": 0.14, **stepped},
            "encoding": {
                "x": _X,
                "y": _quantity("low"),
                "y2": {"field": "high"},
                "color": _GROUP["color"],
            },
        },
        {
            "data": {"name": "points"},
            "mark": {"type": "point", "filled": True, "size": 40, "opacity": 1},
            "encoding": {
                "x": _X,
                "y": _Y,
                "color": _GROUP["color"],
                "tooltip": _tooltip("group", "step", "arrived", "interval", "runs"),
            },
        },
    ]


def _tree_layers() -> list[dict[str, Any]]:
    """Brackets over the words for the gold tree, under them for the projected one."""
    x = _quantity("start", axis=None, scale={"nice": False})
    y = _quantity("level", axis=None, scale={"nice": False})
    verdict = {
        "color": _named("verdict", scale=RIGHT_WRONG),
        "strokeDash": _named(
            "verdict", scale={"domain": RIGHT_WRONG["domain"], "range": [[1, 0], [5, 3], [1, 0]]}
        ),
    }
    fields = _tooltip("tree", "words", "verdict")
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
                    "x": _quantity(side),
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
            "encoding": {"x": _quantity("start"), "y": y, "text": _named("word")},
        },
    ]


def _map_layers() -> list[dict[str, Any]]:
    """Shades of attention, a row for each word that attends; rings and crosses on gold arcs."""
    words = {"labelExpr": "words[datum.value]", "labelLimit": 78, "ticks": False, "domain": False}
    ordinal = {"type": "ordinal", "sort": None}
    x = {"field": "column", **ordinal, "axis": {**words, "labelAngle": -90, "title": "attended"}}
    y = {"field": "row", **ordinal, "axis": {**words, "title": "attending"}}
    fields = _tooltip("attending", "attended", "weight", "gold arc")
    found = {"domain": ["found", "missed"], "range": ["circle", "cross"]}
    shape = _named("gold arc", scale=found)
    return [
        {
            "data": {"name": "cells"},
            "mark": {"type": "rect", "stroke": GRID, "strokeWidth": 0.5},
            "encoding": {
                "x": x,
                "y": y,
                "color": _quantity("share", scale=SHADES),
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


def _bar_layers() -> list[dict[str, Any]]:
    """Shares of one step, each with a bar's length and what it must beat as a tick."""
    y = _named("row", sort=None, axis={"title": None, "labelLimit": 210})
    x = _quantity("y", scale={"domain": [0, 1]}, axis={"title": None, "tickCount": 5})
    fields = _tooltip("row", "value", "interval", "to beat")
    return [
        {
            "data": {"name": "rows"},
            "mark": {"type": "bar", "height": {"band": 0.62}, "color": HUES[0], "opacity": 0.75},
            "encoding": {"x": x, "y": y, "tooltip": fields},
        },
        {
            "data": {"name": "rows"},
            "transform": [{"filter": "isValid(datum.beat)"}],
            "mark": {"type": "tick", "thickness": 3, "color": INK, "height": {"band": 0.9}},
            "encoding": {"x": _quantity("beat"), "y": y, "tooltip": fields},
        },
    ]
