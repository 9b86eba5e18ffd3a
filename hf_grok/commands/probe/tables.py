"""What `hf-grok probe` prints: the list of probes, and the numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hf_grok.evaluation import ProbeResults

# Revisions in the printed table.
SHOWN = 6


def probe_list() -> str:
    """Every probe: its name, what its numbers are, where it comes from."""
    from hf_grok.probes import probe_class, probe_names

    lines = []
    for name in probe_names():
        kind = probe_class(name)
        lines.append(f"{name} ({kind.__name__}; {kind.source})")
        lines += [f"  {metric:<40}{facts.meaning}" for metric, facts in kind.metrics.items()]
    return "\n".join(lines)


def summary(results: ProbeResults, names: Sequence[str]) -> str:
    """The numbers as a table: a line per metric, a column per revision (first and last five)."""
    rows = [row for row in results.rows if row["probe"] in names]
    revisions = list(dict.fromkeys(row["revision"] for row in rows))
    place = {row["revision"]: row.get("place", row["step"]) or 0 for row in reversed(rows)}
    revisions.sort(key=place.__getitem__)
    shown = revisions if len(revisions) <= SHOWN else [revisions[0], *revisions[1 - SHOWN :]]
    values = {(row["metric"], row["revision"]): row["value"] for row in rows}
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    lines = [f"{'':<44}" + "".join(f"{name[-11:] or 'model':>12}" for name in shown)]
    for metric in metrics:
        cells = [values.get((metric, name)) for name in shown]
        lines.append(
            f"{metric:<44}" + "".join("          --" if v is None else f"{v:>12.4g}" for v in cells)
        )
    if len(shown) < len(revisions):
        between = len(revisions) - len(shown)
        lines.append(f"({between} revisions between the first two columns are in the file)")
    lines += [
        f"FAILED {row['revision']} {row['probe']}: {row['reason']}" for row in results.failures
    ]
    return "\n".join(lines)
