"""What is said of probes beside their numbers: rows, scheme, options, and what to beware of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hf_grok.annotation.scheme import MISMATCH, SCHEME, scheme_mismatch

if TYPE_CHECKING:
    from hf_grok.evaluation import AskedProbe


def about_probes(
    asked: Sequence[AskedProbe], trained: str | None = None
) -> dict[str, dict[str, Any]]:
    """What a results file says of each probe: its rows, their scheme, and its options.

    Args:
        asked: the probes.
        trained: scheme of the arcs that the model was trained with; None if unknown.
    """
    return {
        one.name: {
            "data": None if one.data is None else one.data.description,
            "fingerprint": None if one.data is None else one.data.fingerprint,
            "options": dict(one.options),
            **_declared(one.kind),
            **({SCHEME: one.data.scheme} if one.data is not None and one.data.scheme else {}),
            **({MISMATCH: said} if (said := difference(one, trained)) else {}),
        }
        for one in asked
    }


def _declared(name: str) -> dict[str, Any]:
    """What a probe of another package says of its numbers; nothing of ours, which are known."""
    from hf_grok.metrics import recordable
    from hf_grok.probes import probe_class

    declared = recordable(probe_class(name).metrics)
    return {"metrics": declared} if declared else {}


def notes(asked: Sequence[AskedProbe], trained: str | None) -> list[str]:
    """What was left out of the data, and whether heads follow another scheme than in training."""
    found = [one.data for one in asked if one.data is not None]
    said = {each.left_out for each in found if each.left_out}
    differing = {difference(one, trained) for one in asked}
    return [*sorted(said), *sorted(filter(None, differing))]


def difference(asked: AskedProbe, trained: str | None) -> str | None:
    """What a reader must know where gold heads do not follow the scheme trained with; else None.

    Nothing is said of rows without heads, nor where no scheme of training is recorded.
    """
    if asked.data is None or trained is None or "heads" not in asked.data.rows[0]:
        return None
    return scheme_mismatch(trained, asked.data.scheme)
