"""Probes by name: ours, and those of other packages (entry-point group `hf_grok.probes`)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any

from hf_grok.behaviour.rows import Rows
from hf_grok.errors import UserError, unknown_name
from hf_grok.probes.base import Probe

GROUP = "hf_grok.probes"

# name -> module and class; loaded when asked for.
OURS: Mapping[str, tuple[str, str]] = {
    "uas": ("uas", "AttentionUAS"),
    "sparsity": ("sparsity", "AttentionSparsity"),
    "tree": ("tree_projection", "TreeProjection"),
    "norm": ("weight_norm", "WeightNorm"),
    "intrinsic_dimension": ("intrinsic_dimension", "IntrinsicDimension"),
    "fisher": ("fisher", "EmpiricalFisher"),
    "class_loss": ("class_loss", "TokenClassLoss"),
    "pairs": ("minimal_pairs", "MinimalPairAccuracy"),
}


def probe_names() -> list[str]:
    """Every name that `probe_class` knows, other packages' included."""
    return sorted({*OURS, *(point.name for point in entry_points(group=GROUP))})


def probe_class(name: str) -> type[Probe]:
    """The class of a probe by its name.

    Raises:
        UserError: no probe has that name; an entry point is no `Probe`.
    """
    if name in OURS:
        module, attribute = OURS[name]
        found: type[Probe] = getattr(importlib.import_module(f"hf_grok.probes.{module}"), attribute)
        return found
    for point in entry_points(group=GROUP):
        if point.name == name:
            return _checked(name, point.load())
    raise unknown_name("probe", name, probe_names())


def build_probe(name: str, rows: Rows, tokenizer: Any, **options: Any) -> Probe:
    """The probe `name` over `rows`; `options` as its class takes them.

    Raises:
        UserError: no such probe, rows that do not fit it, or an option that it does not have.
    """
    kind = probe_class(name)
    try:
        return kind.from_data(rows, tokenizer, **options)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        raise UserError(f"probe {name!r}: {error}; it was given {sorted(options)}") from error


def build_probes(
    names: Sequence[str | Probe], rows: Rows | Mapping[str, Rows], tokenizer: Any
) -> list[Probe]:
    """Probes from names (and probes already built, kept as they are), each over its rows.

    Args:
        names: names or probes.
        rows: rows for all of them, or probe name -> rows.
        tokenizer: of the model; None will do for probes that look at the weights alone.

    Raises:
        UserError: as `build_probe`; two probes of one name; a name without rows.
    """
    probes: list[Probe] = []
    for name in names:
        if isinstance(name, Probe):
            probes.append(name)
            continue
        if isinstance(rows, Mapping):
            if name not in rows:
                raise UserError(f"no data for probe {name!r}: data are given for {sorted(rows)}")
            probes.append(build_probe(name, rows[name], tokenizer))
        else:
            probes.append(build_probe(name, rows, tokenizer))
    seen: set[str] = set()
    for probe in probes:
        if probe.name in seen:
            raise UserError(
                f"two probes are named {probe.name!r}, and their numbers could not be told apart: "
                "give one of them another name (probe.name = ...)"
            )
        seen.add(probe.name)
    return probes


def _checked(name: str, found: Any) -> type[Probe]:
    if isinstance(found, type) and issubclass(found, Probe):
        return found
    raise UserError(
        f"the entry point {name!r} of group {GROUP} is {found!r}: expected a subclass of "
        "hf_grok.probes.Probe"
    )
