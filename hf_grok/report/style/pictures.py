"""Which of the pictures that probes left are drawn: whose, of which steps, in which form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hf_grok.dynamics import GrokkingSummary, Run
from hf_grok.errors import UserError
from hf_grok.report.groups import Group


def pictured_run(group: Group, probe: str) -> tuple[Run, GrokkingSummary | None] | None:
    """The first run of a group, by seed, of which this probe left pictures; None if there is none.

    With the run's summary, where there is one.

    Pictures show one model at a time: several seeds have no mean of them.
    """
    summaries = group.summaries or [None] * len(group.runs)
    for run, summary in zip(group.runs, summaries, strict=True):
        if pictures_of(run, probe):
            return run, summary
    return None


def whose(group: Group, run: Run) -> str:
    """The title of a figure that shows one run of a group."""
    if len(group.runs) == 1:
        return group.title
    return f"{group.setting}, {group.labels[group.runs.index(run)]}"


def pictures_of(run: Run, probe: str) -> dict[int, Mapping[str, Any]]:
    """The pictures of one probe by step, in order."""
    return {step: picture for (name, step), picture in run.pictures.items() if name == probe}


def nearest(steps: Sequence[int], target: int) -> int:
    """Of `steps` the one nearest to `target`; of two that are equally near the later one."""
    return min(steps, key=lambda step: (abs(step - target), -step))


def telling_steps(steps: Sequence[int], summary: GrokkingSummary | None) -> list[int]:
    """Of `steps`, in order: first and last, nearest to saturation and to generalization's arrival.

    What never came is left out.
    """
    arrivals = (summary.saturation, summary.crossings[-1]) if summary else ()
    near = [nearest(steps, crossing.step) for crossing in arrivals if crossing is not None]
    return sorted({steps[0], *near, steps[-1]})


def expect(found: bool, run: Run, probe: str, step: int, expected: str) -> None:
    """Refuse a picture that is not in the form that this report draws.

    Raises:
        UserError: `found` is false; says of which run, probe and step, and what was expected.
    """
    if not found:
        raise UserError(
            f"{run.path}: cannot draw the picture that probe {probe!r} left at step {step}: "
            f"expected {expected}; was it left by another version of hf-grok, or by another probe "
            "of this name?"
        )


def is_texts(found: Any) -> bool:
    """Whether it is a list of texts, not empty."""
    return isinstance(found, list) and bool(found) and all(isinstance(one, str) for one in found)
