"""What every figure shares: the theme, axes over steps, and how it becomes files."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_grok._optional import import_optional
from hf_grok.report.style.numerals import short_step
from hf_grok.report.style.palette import COLOURS, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

WIDTH = 5.4  # inches: text of 9.5 points stays readable when the page is as narrow as a phone
THEME = {
    "font.size": 9.5,
    "font.family": "sans-serif",
    "svg.fonttype": "none",
    "figure.facecolor": colour("paper"),
    "axes.facecolor": "none",
    "axes.edgecolor": colour("muted"),
    "axes.labelcolor": colour("muted"),
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": colour("grid"),
    "grid.linewidth": 0.7,
    "text.color": colour("ink"),
    "xtick.color": colour("muted"),
    "ytick.color": colour("muted"),
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.solid_capstyle": "round",
}


def matplotlib_module(name: str) -> Any:
    """A module of matplotlib, or a `UserError` that says how to install it."""
    return import_optional(name, extra="report", purpose="the figures of a report")


@contextmanager
def theme(salt: str) -> Iterator[None]:
    """Matplotlib's own defaults with `THEME`, whatever the user's settings; undone afterwards.

    Args:
        salt: makes the identifiers inside an SVG the same in every run, and different from those
            of figures with another salt.
    """
    style = matplotlib_module("matplotlib.style")
    with style.context(["default", {**THEME, "svg.hashsalt": salt}]):
        yield


def new_figure(height: float) -> Figure:
    """An empty figure of `WIDTH` by `height` inches, apart from pyplot's global state."""
    figure: Figure = matplotlib_module("matplotlib.figure").Figure(figsize=(WIDTH, height))
    return figure


def add_axes(figure: Figure, *, left: float, bottom: float, right: float, top: float) -> Axes:
    """Axes by their margins in inches, which hold labels whatever the figure's height."""
    width, height = figure.get_size_inches()
    box = (left / width, bottom / height)
    size = ((width - left - right) / width, (height - bottom - top) / height)
    return figure.add_axes((*box, *size))


def add_canvas(figure: Figure) -> Axes:
    """Bare axes over the whole figure, in inches from its top left corner."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0.0, width)
    axes.set_ylim(height, 0.0)
    return axes


def add_title(figure: Figure, text: str) -> None:
    """What is drawn, at the top left, so that a picture on its own says where it is from."""
    width, height = figure.get_size_inches()
    figure.text(0.1 / width, 1 - 0.08 / height, text, va="top", ha="left", fontweight="bold")


def linear_until(last_step: float) -> int:
    """The step up to which a step axis is linear: a decade under the last one's, at least 1.

    Evaluations are log-spaced at first, where nothing moves yet: more decades would leave no room
    for the end of the run, where the curve swings.
    """
    return int(10 ** max(0, math.floor(math.log10(max(last_step, 1))) - 1))


def step_ticks(last_step: int) -> list[int]:
    """0, then 1, 2 and 5 times every power of ten from `linear_until` on."""
    ticks, decade = [0], linear_until(last_step)
    while decade <= last_step:
        ticks += [tick for tick in (decade, 2 * decade, 5 * decade) if tick <= last_step]
        decade *= 10
    return ticks


def step_label(last_step: float) -> str:
    """What a step axis says under it."""
    return f"training step (log scale, linear up to {short_step(linear_until(last_step))})"


def step_axis(axes: Axes, last_step: int, *, labelled: bool = True) -> None:
    """Steps on a log axis that shows step 0 at its left: linear up to `linear_until`."""
    ticker = matplotlib_module("matplotlib.ticker")
    threshold = linear_until(last_step)
    axes.set_xscale("symlog", linthresh=threshold, linscale=0.5)
    axes.set_xlim(-0.06 * threshold, max(last_step, 1) * 1.03)
    ticks = step_ticks(last_step)
    axes.xaxis.set_major_locator(ticker.FixedLocator(ticks))
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    if labelled:
        axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: short_step(value)))
        axes.set_xlabel(step_label(last_step))
    else:
        axes.xaxis.set_major_formatter(ticker.NullFormatter())
        axes.tick_params(axis="x", length=0)


def places_on(axes: Axes, steps: Sequence[float] | NDArray[Any]) -> list[float]:
    """How far to the right each step stands, from 0 at the left end of the axes to 1."""
    if not len(steps):
        return []
    points = axes.transData.transform([(step, 0.0) for step in steps])
    return [float(x) for x in axes.transAxes.inverted().transform(points)[:, 0]]


def accuracy_axis(axes: Axes, *, label: str = "accuracy", sparse: bool = False) -> None:
    """Accuracies from 0 to 1 with room for lines that lie on either."""
    axes.set_ylim(-0.05, 1.05)
    ticks = [0.0, 0.5, 1.0] if sparse else [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    axes.set_yticks(ticks, ["0", ".5", "1"] if sparse else ["0", ".2", ".4", ".6", ".8", "1"])
    axes.set_ylabel(label)


@dataclass(frozen=True)
class Picture:
    """One figure of a report.

    Args:
        name: stem of its files.
        caption: what it shows, in a sentence or two.
        svg: the drawing, to be put into a page.
        files: where it was written.
    """

    name: str
    caption: str
    svg: str
    files: tuple[Path, ...]


def save(figure: Figure, folder: Path, name: str, caption: str) -> Picture:
    """Write `name`.svg and `name`.png; the same figure gives the same bytes.

    Call inside `theme(name)`.
    """
    vector, raster = folder / f"{name}.svg", folder / f"{name}.png"
    figure.savefig(vector, format="svg", metadata={"Date": None, "Creator": None})
    figure.savefig(raster, format="png", dpi=200, metadata={"Software": None})
    text = vector.read_text(encoding="utf-8")
    return Picture(name, caption, inline_svg(text, name, caption), (vector, raster))


def inline_svg(text: str, name: str, caption: str) -> str:
    """A drawing made fit for a page that holds others, may be dark, and loads nothing.

    Its identifiers begin with its name, its colours are the page's, its size is the page's
    choice, and its prologue, which names outside addresses, is gone.
    """
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r'\s(?:xmlns(?::\w+)?|version)="[^"]*"', "", body)
    body = re.sub(r'<svg([^>]*?) width="[^"]*"', r"<svg\1", body, count=1)
    body = re.sub(r'<svg([^>]*?) height="[^"]*"', r"<svg\1", body, count=1)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#', f'href="#{name}-', body)
    body = re.sub(r"url\(#", f"url(#{name}-", body)
    for key, (light, _) in COLOURS.items():
        body = re.sub(re.escape(light), f"var(--{key})", body, flags=re.IGNORECASE)
    label = caption.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return body.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
