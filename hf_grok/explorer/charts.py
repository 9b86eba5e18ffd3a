"""The page's charts as Vega-Lite specifications, without their data, which the page puts in.

Lines differ by dashes as well as by colour, marks by shape: the page can be read in grey.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hf_grok.explorer.channels import GRID, INK, MUTED, PAPER, named, quantity, tooltip
from hf_grok.explorer.step_charts import bar_layers, map_layers, tree_layers
from hf_grok.report.style.palette import colour

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
# Hues in the order of groups; the dashes change with every round of them.
HUES = tuple(colour(name) for name in ("blue", "vermilion", "green", "purple", "ink"))
DASHES: tuple[list[float], ...] = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3])
CURVE_HEIGHT = 190
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
        "trees": _chart(tree_layers()),
        "map": _chart(map_layers()),
        "bars": _chart(bar_layers()),
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


# The page sets the scales of x, y, hue and dashes in the first layer; the others share them.
_X, _Y = quantity("x", axis={"grid": False}), quantity("y", axis={"tickCount": 5})
_GROUP = {
    "color": named("group", scale={"domain": [], "range": []}),
    "strokeDash": named("group", scale={"domain": [], "range": []}),
}


def _curve_layers() -> list[dict[str, Any]]:
    """Lines of runs over what they must beat, with marks, the step of the page, and a hover."""
    places = {"x": _X, "y": _Y}
    fields = ("run", "step", "value", "interval")
    return [
        {
            "data": {"name": "points"},
            "mark": {"type": "line", "strokeWidth": 1.8, "clip": True},
            "encoding": {**places, **_GROUP, "detail": named("run")},
        },
        _lonely("run", places),
        _baselines(),
        *_marks_and_now(),
        _hover({**places, "color": _GROUP["color"]}, fields),
        _hovered(places),
    ]


def _mean_layers() -> list[dict[str, Any]]:
    """Mean and range of each group, at the steps that all its runs have."""
    places = {"x": _X, "y": quantity("mean", axis={"tickCount": 5})}
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
                "y": quantity("low"),
                "y2": {"field": "high"},
                "color": _GROUP["color"],
            },
        },
        _lonely("group", places),
        {
            **_lonely("group", {"x": _X, "y": quantity("low"), "y2": {"field": "high"}}),
            "mark": {"type": "rule", "opacity": 0.45},
        },
        _baselines(),
        *_marks_and_now(),
        _hover({**places, "color": _GROUP["color"]}, fields),
        _hovered(places),
    ]


def _lonely(line: str, places: Mapping[str, Any]) -> dict[str, Any]:
    """A dot for what was measured once, such as by a probe at the last checkpoint: no line is."""
    return {
        "data": {"name": "points"},
        "transform": [
            {"joinaggregate": [{"op": "count", "as": "along"}], "groupby": [line]},
            {"filter": "datum.along === 1"},
        ],
        "mark": {"type": "point", "filled": True, "size": 45, "opacity": 1},
        "encoding": {**places, "color": _GROUP["color"]},
    }


def _baselines() -> dict[str, Any]:
    return {
        "data": {"name": "baselines"},
        "mark": {"type": "line", "strokeDash": [4, 3], "strokeWidth": 1.2, "color": MUTED},
        "encoding": {"x": _X, "y": _Y, "detail": named("line")},
    }


def _marks_and_now() -> list[dict[str, Any]]:
    at_foot = {"y": {"value": "height"}, "color": _GROUP["color"]}
    return [
        {
            "data": {"name": "marks"},
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.45},
            "encoding": {"x": quantity("from"), "x2": {"field": "to"}, **at_foot},
        },
        {
            "data": {"name": "marks"},
            "mark": {"type": "point", "size": 70, "filled": True, "opacity": 1, "stroke": INK},
            "encoding": {
                "x": _X,
                **at_foot,
                "shape": named(
                    "kind",
                    scale={
                        "domain": ["onset", "crossing"],
                        "range": ["triangle-up", "diamond"],
                    },
                ),
                "tooltip": tooltip("run", "mark", "step", "between"),
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
        "encoding": {**encoding, "tooltip": tooltip(*fields)},
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
            "mark": {"type": "area", "opacity": 0.07, **stepped},
            "encoding": {
                "x": _X,
                "y": quantity("low"),
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
                "tooltip": tooltip("group", "step", "arrived", "interval", "runs"),
            },
        },
    ]
