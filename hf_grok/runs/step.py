"""What is known of one step of a run, once: for its journal, its manifest on the Hub, its card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class StepValues:
    """What is known of a step beside its files; None: not known.

    Attributes:
        lambda_: weight of the regulariser in the update before the step; None without one.
        tokens_seen: training tokens read before it.
        data_position: training examples read before it, the last batch of an epoch as it was.
        metrics: column of the run's log -> value at that step; plain finite numbers.
    """

    lambda_: float | None = None
    tokens_seen: int | None = None
    data_position: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """The attributes above, for another class that has them."""
        return {item.name: getattr(self, item.name) for item in fields(StepValues)}

    def values_to_json(self) -> dict[str, Any]:
        """As they stand in series.json and in the journal."""
        return {
            "lambda": self.lambda_,
            "tokens_seen": self.tokens_seen,
            "data_position": self.data_position,
            "metrics": dict(self.metrics),
        }


@dataclass(frozen=True)
class NamedStep(StepValues):
    """A step with the branch that holds it, or will.

    Attributes:
        step: optimiser steps before it.
        revision: name of the branch.
    """

    step: int
    revision: str


def values_from_json(found: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of `StepValues.values_to_json`, to make any of these classes of.

    Raises:
        KeyError: one of them is not there.
    """
    return {
        "lambda_": found["lambda"],
        "tokens_seen": found["tokens_seen"],
        "data_position": found["data_position"],
        "metrics": dict(found["metrics"]),
    }
