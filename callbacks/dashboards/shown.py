"""Which numbers of a logged row are shown, and under which name a chart has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from transformers.integrations.integration_utils import rewrite_logs

from hf_grok.errors import unknown_name
from hf_grok.metrics import PREFIX, key_of
from hf_grok.probes import Probe

DETAILS = ("headlines", "all")
# Logged once, at a run's end: no curves.
TOTALS = frozenset(
    {
        *("train_runtime", "train_samples_per_second", "train_steps_per_second"),
        *("train_loss", "total_flos"),
    }
)

Row: TypeAlias = Mapping[str, Any]


def check_detail(detail: str) -> str:
    """`detail`, if it is one of `DETAILS`.

    Raises:
        UserError: it is none.
    """
    if detail not in DETAILS:
        raise unknown_name("probe_detail", detail, DETAILS)
    return detail


def shown(
    row: Row, probes: Sequence[Probe], detail: str, always: Collection[str | None] = ()
) -> dict[str, Any]:
    """A row without what only those look at who look for it, as it was logged otherwise.

    "headlines" leaves out the numbers of probes that a report does not draw: parts by relation,
    kind, paradigm or parameter, baselines, counts. What is no probe's number stays.

    Args:
        row: as a Trainer logs it.
        probes: whose numbers may be in it.
        detail: "headlines" or "all".
        always: columns that stay in any case.
    """
    if detail == "all":
        return dict(row)
    return {
        name: value
        for name, value in row.items()
        if name in always or is_drawn(_declared(name, probes))
    }


def is_drawn(found: tuple[Probe, str] | None) -> bool:
    """Whether a report draws a number, or it is no probe's."""
    if found is None:
        return True
    metric = found[0].metrics[found[1]]
    return metric.headline or bool(metric.panel)


def charts(row: Row, probes: Sequence[Probe]) -> dict[str, Any]:
    """A row under the names of its charts, in groups.

    What is drawn stands where transformers puts it (`eval/uas_best_head`, `train/loss`), the rest
    of a probe's numbers in a group of the probe's, its parts after its name:
    `uas/relation/nsubj`, `norm/matrix/lm_head.weight`.
    """
    found: dict[str, Any] = {}
    for column, value in row.items():
        known = _declared(column, probes)
        if known is None or is_drawn(known):
            found.update(rewrite_logs({column: value}))
        else:
            found[_grouped(column.removeprefix(PREFIX), *known)] = value
    return found


def _declared(column: str, probes: Sequence[Probe]) -> tuple[Probe, str] | None:
    """Whose number a column is, and the name or pattern by which the probe declares it."""
    if not column.startswith(PREFIX):
        return None
    name = column.removeprefix(PREFIX)
    keys = ((probe, key_of(probe.metrics, name)) for probe in probes)
    return next(((probe, key) for probe, key in keys if key is not None), None)


def _grouped(name: str, probe: Probe, key: str) -> str:
    own = f"{probe.name}_"
    if not key.endswith("{}"):
        return f"{probe.name}/{name.removeprefix(own)}"
    stem = key.removesuffix("{}")
    parts = (probe.name, stem.removeprefix(own).rstrip("_"), name[len(stem) :])
    return "/".join(part for part in parts if part)
