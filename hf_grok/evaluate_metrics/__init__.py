"""Metrics for the library `evaluate`: `evaluate.load(path("uas"))`, online or offline.

Each is a thin adapter over the functions that the probes and the behavioural measures use, for
answers that were made elsewhere. This module loads neither `evaluate` nor torch.
"""

from __future__ import annotations

from pathlib import Path

from hf_grok.errors import unknown_name

__all__ = ["names", "path"]

NAMES = ("dyck_closing_bracket", "parseval", "question_formation", "tense_inflection", "uas")


def names() -> list[str]:
    """Every name that `path` knows."""
    return list(NAMES)


def path(name: str) -> str:
    """The folder of a metric, as `evaluate.load` takes it; README.md in it is the metric's card.

    Raises:
        UserError: no metric has that name.
    """
    if name not in NAMES:
        raise unknown_name("metric", name, NAMES)
    return str(Path(__file__).resolve().parent / name)
