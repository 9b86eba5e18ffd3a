"""Colours and line styles: every series differs in dashes and marker too, so grey will do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# name -> (on light paper, on dark paper). Series: Okabe and Ito 2008, safe for colour-blind
# readers; the dark ones are the same hues, lighter.
COLOURS = {
    "paper": ("#ffffff", "#15181c"),
    "ink": ("#20242a", "#e8eaed"),
    "muted": ("#626a73", "#a2abb5"),
    "grid": ("#dfe3e8", "#30363d"),
    "blue": ("#0072b2", "#5cb8f0"),
    "vermilion": ("#d55e00", "#ff8f4a"),
    "green": ("#008060", "#35c79a"),
    "purple": ("#a8518a", "#dd9cc8"),
}


def colour(name: str) -> str:
    """A colour's hexadecimal code on light paper, as figures are drawn."""
    return COLOURS[name][0]


@dataclass(frozen=True)
class Style:
    """How one series is drawn.

    Args:
        colour: a name of `COLOURS`.
        dashes: matplotlib's line style.
        marker: matplotlib's marker; "" for none.
    """

    colour: str
    dashes: Any = "-"
    marker: str = ""

    def line(self, width: float) -> dict[str, Any]:
        """Arguments of `Axes.plot` for this series."""
        return {
            "color": colour(self.colour),
            "linestyle": self.dashes,
            "linewidth": width,
            "marker": self.marker,
            "markersize": 4.2,
            "markerfacecolor": colour("paper"),
            "markeredgewidth": 1.2,
        }


IN_DISTRIBUTION_STYLE = Style("blue", (0, (5, 1.6)), "s")
GENERALIZATION_STYLE = Style("vermilion", "-", "o")
TRAINING_STYLE = Style("muted", (0, (1, 1.2)))
VALIDATION_STYLE = Style("blue", "-", "s")
WEIGHT_NORM_STYLE = Style("green", "-", "^")
EARLY_STOPPING_STYLE = Style("ink", (0, (1, 1.4)), "D")
# The kinds of one breakdown, in order; the fraction of a rule that is wrong is drawn last, apart.
KIND_STYLES = (
    Style("green", "-", "^"),
    Style("purple", "-", "s"),
    Style("vermilion", "-", "o"),
    Style("blue", "-", "D"),
    Style("ink", "-", "v"),
)
WRONG_RULE_STYLE = Style("ink", (0, (3, 1.5)), "x")
# Structure, and what scores the same without looking at the model: dashed, dotted, dash-dotted.
STRUCTURE_STYLE = Style("blue", "-", "o")
BASELINE_STYLES = (
    Style("ink", (0, (4, 1.6))),
    Style("muted", (0, (1, 1.2))),
    Style("muted", (0, (6, 1.4, 1, 1.4))),
)
