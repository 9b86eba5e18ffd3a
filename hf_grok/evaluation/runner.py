"""Probes run on a model: in the guard, shared out over ranks, each failure its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import nn

from hf_grok._isolated import Isolated
from hf_grok.measurement.guard import watching
from hf_grok.measurement.requirements import require_finite_weights
from hf_grok.probes.base import Probe, State, add_states
from hf_grok.probes.shared_pass import ReadingProbe, may_share, read_together


@dataclass
class Probed:
    """What one round of probes gave: the same on every rank.

    Attributes:
        numbers: metric -> value, of the probes that did not fail.
        pictures: probe -> what a report draws, as plain JSON.
        failures: probe -> type and message of its error, with the rank where there are several.
        seconds: probe -> wall time of the slowest rank.
    """

    numbers: dict[str, float] = field(default_factory=dict)
    pictures: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


class ProbeFailedError(RuntimeError):
    """A probe failed, and the run was told to stop at that.

    Args:
        probe: its name.
        reason: what it failed of.
        when: in the run, such as "at step 3".
    """

    def __init__(self, probe: str, reason: str, when: str = "") -> None:
        super().__init__(f"probe {probe!r} failed{' ' * bool(when)}{when}: {reason}")


@dataclass(frozen=True)
class _Part:
    """One rank's share of one probe, or the error that it ended in."""

    state: State | None
    error: str | None
    seconds: float


def run_probes(
    model: nn.Module,
    probes: Sequence[Probe],
    accelerator: Accelerator | None = None,
    *,
    isolated: bool = True,
) -> Probed:
    """Every probe's numbers for `model`, watched so that nothing of it is changed.

    Each rank takes its fraction of a probe's items and states are summed over ranks, so the numbers
    are exact and the same everywhere. A probe that fails on any rank is a failure on all of them
    (none is left waiting for the others), and the probes after it still run. Probes that read the
    same sentences share their forward passes, each number being bit for bit what it is alone.

    Args:
        model: not wrapped (`trainer.model`, or `accelerator.unwrap_model(...)`).
        probes: which.
        accelerator: of a run; None for one process.
        isolated: else the first failure ends the round on every rank, with its own error where it
            happened.

    Raises:
        ProbeFailedError: not isolated, and a probe failed on another rank.
    """
    world = accelerator.num_processes if accelerator else 1
    rank = accelerator.process_index if accelerator else 0
    probed = Probed()
    with watching(model):
        ours = {
            id(probe): (part, error)
            for group in may_share(probes)
            for probe, part, error in _parts(model, group, rank, world)
        }
        for probe in probes:
            part, error = ours.pop(id(probe))
            parts = gather_object([part]) if world > 1 else [part]
            _conclude(probe, parts, probed)
            if probed.failures and not isolated:
                raise error or ProbeFailedError(probe.name, probed.failures[probe.name])
    return probed


def _parts(
    model: nn.Module, group: Sequence[Probe], rank: int, world: int
) -> Iterator[tuple[Probe, _Part, Exception | None]]:
    """This rank's share of probes that one pass serves; of each alone where one of them fails."""
    share = range(rank, len(group[0]), world)
    began = time.perf_counter()
    with Isolated() as block:
        require_finite_weights(model)
        states = (
            [group[0].state(model, share)]
            if len(group) == 1
            else read_together(
                model, [one for one in group if isinstance(one, ReadingProbe)], share
            )
        )
    seconds = (time.perf_counter() - began) / len(group)
    if block.error is None:
        yield from ((p, _Part(s, None, seconds), None) for p, s in zip(group, states, strict=True))
    elif len(group) == 1:
        yield group[0], _Part(None, block.failure, seconds), block.error
    else:
        for one in group:
            yield from _parts(model, [one], rank, world)


def _conclude(probe: Probe, parts: Sequence[_Part], probed: Probed) -> None:
    """Add one probe's outcome over all ranks to `probed`."""
    probed.seconds[probe.name] = max(part.seconds for part in parts)
    errors = {rank: part.error for rank, part in enumerate(parts) if part.error is not None}
    if not errors:
        with Isolated() as block:
            total = add_states(part.state for part in parts if part.state is not None)
            numbers, picture = probe.compute(total), probe.picture(total)
            probed.numbers.update(numbers)
            if picture is not None:
                probed.pictures[probe.name] = picture
        if block.failure is not None:
            errors = {0: block.failure}
    if errors:
        where = (lambda rank: f"rank {rank}: ") if len(parts) > 1 else (lambda rank: "")
        probed.failures[probe.name] = "; ".join(where(r) + text for r, text in errors.items())
