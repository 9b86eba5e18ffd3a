"""What a number is: its meaning, range and direction, what it is compared with, how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Direction: TypeAlias = Literal["rise", "fall"]
SHARE = (0.0, 1.0)


@dataclass(frozen=True)
class Level:
    """A score that needs no model and is the same for every one, such as chance.

    Attributes:
        label: what it is, in a word.
        value: the score.
    """

    label: str
    value: float


@dataclass(frozen=True)
class Metric:
    """What a reported number is, and how reports, cards and tables of sweeps show it.

    Attributes:
        meaning: one phrase, for lists and cards.
        unit: of the number ("share", "nats", "dimensions", ...).
        lowest: smallest possible value; None if unbounded.
        highest: largest possible value; None if unbounded.
        higher_is_better: None where neither direction is better.
        baseline: what scores without the model's structure: the name of another metric, or a
            `Level`; None if there is none. Of a metric whose name ends in "{}" it may too.
        title: heads its rows and columns, a "{}" in it as in the name; by default the name.
        label: beside its curve, and of a baseline beside its line; by default the title.
        headline: a main number: shown by cards, `hf-grok onsets` and tables of sweeps, and drawn.
        panel: heads the panel of the report in which it is drawn, with others of the same panel.
            By default the title, of headlines; numbers with neither are not drawn.
        beside: further lines in its panel: names of metrics, or levels.
        logarithmic: its axis is.
        kind: the Hub's identifier of such a metric ("accuracy"); by default the name.
        split: of the data set that it is measured on, as `datasets` names it; None where that
            differs.
        sought: the direction in which its onset is looked for, where neither is better.
        margin: ours: in sweeps it has begun where it is beyond its baseline by this (a share
            without one: beyond 0).
        swings: the mean of the last quarter stands for its end: its last value is a lottery.
    """

    meaning: str
    unit: str
    lowest: float | None = None
    highest: float | None = None
    higher_is_better: bool | None = None
    baseline: str | Level | None = None
    title: str = ""
    label: str = ""
    headline: bool = False
    panel: str = ""
    beside: tuple[str | Level, ...] = ()
    logarithmic: bool = False
    kind: str = ""
    split: str | None = None
    sought: Direction | None = None
    margin: float = 0.05
    swings: bool = False

    @property
    def direction(self) -> Direction | None:
        """Where better is, or else where its onset is sought; None for neither."""
        if self.higher_is_better is None:
            return self.sought
        return "rise" if self.higher_is_better else "fall"

    @property
    def is_share(self) -> bool:
        """Whether its values lie in 0..1."""
        return (self.lowest, self.highest) == SHARE


def metric_of(metrics: Mapping[str, Metric], name: str) -> Metric | None:
    """The facts about `name`, whether it is listed itself or by a pattern that ends in "{}"."""
    key = key_of(metrics, name)
    return None if key is None else metrics[key]


def key_of(metrics: Mapping[str, Metric], name: str) -> str | None:
    """The key under which `metrics` holds `name`: the name, or the longest pattern that fits."""
    if name in metrics:
        return name
    patterns = [key for key in metrics if key.endswith("{}") and name.startswith(key[:-2])]
    return max(patterns, key=len, default=None)


def filled(name: str, key: str, other: str) -> str:
    """`other` with what `name` has in the place of the "{}" of its `key`.

    >>> filled("uas_relation_nsubj", "uas_relation_{}", "uas_relation_offset_{}")
    'uas_relation_offset_nsubj'
    """
    return other.replace("{}", name[len(key) - 2 :]) if key.endswith("{}") else other
