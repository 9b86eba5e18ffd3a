"""What the name of a metric says: in which direction it gets better, and what it must beat."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from hf_grok.dynamics.columns import GENERALIZATION, IN_DISTRIBUTION, VALIDATION_LOSS
from hf_grok.dynamics.existence import Direction

# Our own numbers, whose probes declare the direction (a test holds the two together): the first
# pattern that fits the whole name, without the eval_ of a run's columns.
_OWN: tuple[tuple[str, Direction | None], ...] = (
    (r"pairs_ties", "fall"),
    (r"pairs_.+", "rise"),
    (r"class_loss_.+", "fall"),
    (r"uas_(arcs|left_out)|uas_(.+_)?offset(_.+)?", None),
    (r"uas_.+", "rise"),
    (r"tree_(score|parseval)", "rise"),
    (r"tree_.+|norm_.+|fisher_.+|intrinsic_dimension_.+", None),
    (r"sparsity(_.+)?", "rise"),  # the probe declares none: growing sparsity is what is looked for
)
# Of any other number, words of its name: never a part of a word ("gloss", "properties").
_FALLING = {"loss", "perplexity", "ppl", "surprisal", "error", "nll"}
_RISING = {"accuracy", "uas", "las", "parseval", "f1", "score"}
_TURNED = {"neg", "negative", "minus", "inverse", "improvement", "reduction", "gain"}
_SHARES = {"accuracy", "uas", "las", "parseval"}
_WORD = re.compile(r"[A-Z]?[a-z]+[0-9]*|[A-Z]+(?![a-z])[0-9]*")

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
    """The direction in which a metric gets better, by its name; None if the name does not say.

    Our own numbers are known by their whole names. Of others, whole words count: a loss,
    perplexity, surprisal or error falls; accuracy, UAS, F1 and the like rise; a name with words of
    both kinds, or with one that turns them ("negative", "reduction"), says nothing.
    """
    name = metric.removeprefix("eval_")
    for pattern, direction in _OWN:
        if re.fullmatch(pattern, name):
            return direction
    words = _words(name)
    falls, rises = bool(words & _FALLING), bool(words & _RISING) or "exact_match" in name
    if falls == rises or words & _TURNED:
        return None
    return "fall" if falls else "rise"


def is_share(metric: str) -> bool:
    """Whether a metric's name says that its values are shares, in 0..1."""
    if direction_of(metric) != "rise":
        return False
    name = metric.removeprefix("eval_")
    own = name.startswith(("pairs_", "uas_"))
    return own or bool(_words(name) & _SHARES) or "exact_match" in name


def direction_of_curve(values: Sequence[ArrayLike]) -> Direction | None:
    """The direction in which the curves move from their first fifth to their last one.

    Of several curves, their mean. None where the two levels (medians) lie closer than a tenth of
    what the curve ranges over.

    Args:
        values: of each curve [evaluations].
    """
    moved, ranged = 0.0, 0.0
    for one in (np.asarray(curve, dtype=np.float64) for curve in values):
        part = max(1, one.size // 5)
        moved += float(np.median(one[-part:]) - np.median(one[:part]))
        ranged += float(np.ptp(one))
    if abs(moved) <= 0.1 * ranged:
        return None
    return "rise" if moved > 0 else "fall"


def _words(name: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(name)}


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
