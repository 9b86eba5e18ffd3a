"""What the name of a metric says: in which direction it gets better, and what it must beat."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from hf_grok.dynamics.columns import GENERALIZATION, IN_DISTRIBUTION, VALIDATION_LOSS
from hf_grok.dynamics.existence import Direction

_FALLING = re.compile(r"loss|perplexity|surprisal|ties")
_SHARES = re.compile(r"accuracy|exact_match|uas|parseval|pairs")
_RISING = re.compile(r"score|sparsity")

# What is looked at when nobody says: the columns of a run, and what each must beat (a number, or
# another column; None: its own best value in the first window).
HEADLINES: Mapping[str, float | str | None] = {
    VALIDATION_LOSS: None,
    IN_DISTRIBUTION: None,
    GENERALIZATION: None,
    "eval_uas_single_head": "eval_uas_single_offset",
    "eval_uas_best_head": "eval_uas_best_offset",
    "eval_uas_atypical": "eval_uas_atypical_offset",
    "eval_tree_score": None,
    "eval_tree_parseval": "eval_tree_right_branching",
    "eval_pairs_accuracy": 0.5,
}


def direction_of(metric: str) -> Direction | None:
    """The direction in which a metric gets better, by its name; None if the name does not say."""
    if _FALLING.search(metric):
        return "fall"
    return "rise" if is_share(metric) or _RISING.search(metric) else None


def is_share(metric: str) -> bool:
    """Whether a metric's name says that its values are shares, in 0..1."""
    return bool(_SHARES.search(metric)) and not _FALLING.search(metric)


def standard_baseline(metric: str, available: Collection[str]) -> float | str | None:
    """What `HEADLINES` says a metric must beat; None if it says nothing or that is not there.

    The names may lack the `eval_` of a run's columns.
    """
    prefix = "" if metric.startswith("eval_") else "eval_"
    known = HEADLINES.get(prefix + metric)
    if not isinstance(known, str):
        return known
    name = known.removeprefix(prefix)
    return name if name in available else None
