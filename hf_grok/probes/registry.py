"""Probes by name: ours, and those of other packages (entry-point group `hf_grok.probes`)."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint
from os import PathLike
from typing import Any, TypeAlias

from hf_grok._isolated import Isolated
from hf_grok.annotation.rows import Rows
from hf_grok.errors import UserError, unknown_name
from hf_grok.languages import brought_language, known_languages, language, load
from hf_grok.metrics import GROUP
from hf_grok.packages import Brought, brought_points, by_name, the_one
from hf_grok.probes.base import Probe

# A probe, or how one is asked for: its name or its class.
Asked: TypeAlias = str | type[Probe] | Probe

# name -> module and class, of what is inside a model; loaded when asked for.
OURS: Mapping[str, tuple[str, str]] = {
    "uas": ("uas.probe", "AttentionUAS"),
    "sparsity": ("sparsity", "AttentionSparsity"),
    "tree": ("trees.probe", "TreeProjection"),
    "norm": ("weight_norm", "WeightNorm"),
    "intrinsic_dimension": ("dimension.probe", "IntrinsicDimension"),
    "fisher": ("fisher.probe", "EmpiricalFisher"),
    "class_loss": ("class_loss", "TokenClassLoss"),
    "pairs": ("pairs.probe", "MinimalPairAccuracy"),
}
# Of what a model does on any language; on one of `hf_grok.languages`, its behaviour.
LOSSES: Mapping[str, str] = {
    "loss": "hf_grok.probes.tasks.loss:TokenLoss",
    "masked_loss": "hf_grok.probes.tasks.masked_loss:MaskedLoss",
}


def probe_names() -> list[str]:
    """Every name that `probe_class` knows, other packages' included."""
    return sorted(
        {*OURS, *LOSSES, *behaviour_names(), *(one.thing.name for one in brought_points(GROUP))}
    )


def language_of(probe: str) -> str | None:
    """The language that has the name of a probe, "question-formation" for "question_formation"."""
    return {name.replace("-", "_"): name for name in known_languages()}.get(probe)


def behaviour_names() -> list[str]:
    """The probes that measure what a model does on a language; another package's that load."""
    names = []
    for name in known_languages():
        with Isolated():
            if language(name).behaviour:
                names.append(name.replace("-", "_"))
    return names


def probe_class(name: str) -> type[Probe]:
    """The class of a probe by its name.

    Raises:
        UserError: no probe or two packages' have that name; an entry point is no `Probe`.
    """
    point = brought_probe(name).thing
    return _ours(name) if point is None else _checked(name, point.load())


def brought_probe(name: str) -> Brought[EntryPoint | None]:
    """The package that brings a probe: its language's for a behaviour; not loaded.

    Raises:
        UserError: no probe or two packages' have that name.
    """
    known = by_name(brought_points(GROUP), ours=[*OURS, *LOSSES])
    measured = language_of(name)
    if measured is not None and language(measured).behaviour:
        of_language = brought_language(measured)
        known.setdefault(name, []).insert(0, of_language.holding(None))
    if name not in known:
        raise unknown_name("probe", name, probe_names())
    return the_one("probe", name, known)


def _ours(name: str) -> type[Probe]:
    """One of this package, or the behaviour of a language."""
    if name in OURS:
        module, attribute = OURS[name]
        found: type[Probe] = getattr(importlib.import_module(f"hf_grok.probes.{module}"), attribute)
        return found
    if name in LOSSES:
        return _checked(name, load(LOSSES[name]))
    measured = language_of(name)
    return _checked(name, load(language(measured).behaviour if measured else ""))


def build_probe(name: str | type[Probe], rows: Rows, tokenizer: Any, **options: Any) -> Probe:
    """The probe `name` over `rows`; `options` as its class takes them.

    Args:
        name: of the probe, or its class.
        rows: its data; None will do for probes that look at the weights alone.
        tokenizer: of the model, or a processor that has it; None likewise.
        **options: of the class.

    Raises:
        UserError: no such probe, rows that are missing or do not fit it, no tokenizer, or an
            option that it does not have.
    """
    kind = probe_class(name) if isinstance(name, str) else name
    called = name if isinstance(name, str) else kind.__name__
    tokenizer = getattr(tokenizer, "tokenizer", tokenizer)  # of a processor of words and pictures
    if kind.needs_data:
        _require_data(called, rows)
        if kind.needs_tokenizer and tokenizer is None:
            raise UserError(
                f"probe {called!r} reads its data with the model's tokenizer, and there is none: "
                "give it (Trainer takes it as processing_class=tokenizer)"
            )
    try:
        return kind.from_data(rows, tokenizer, **options)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        raise UserError(f"probe {called!r}: {error}; it was given {sorted(options)}") from error


def build_probes(probes: Any, rows: Rows | Mapping[str, Rows], tokenizer: Any) -> list[Probe]:
    """Probes from names or classes (and probes built already, as they are), each over its rows.

    Args:
        probes: names, classes or probes (`Asked`), in anything that can be gone through once; one
            alone may stand without a list around it. What else it holds is refused in words.
        rows: rows for all of them, or probe name -> rows; those that look at the weights alone
            need none. Where a behaviour is given several splits (a `DatasetDict` of its language),
            it becomes a probe for each that it measures: "in_distribution" over the split test,
            "generalization" over that name's.
        tokenizer: of the model; None will do for probes that look at the weights alone.

    Raises:
        UserError: as `build_probe`; something that is no probe; two probes of one name; a name
            without rows.
    """
    if isinstance(probes, str | Probe | type) or not isinstance(probes, Iterable):
        probes = [probes]
    built = [probe for one in probes for probe in _built(one, rows, tokenizer)]
    refuse_same_names(built)
    return built


def refuse_same_names(probes: Sequence[Probe]) -> None:
    """Every probe of a run has a name of its own.

    Raises:
        UserError: two have the same.
    """
    seen: set[str] = set()
    for probe in probes:
        if probe.name in seen:
            raise UserError(
                f"two probes are named {probe.name!r}, and their numbers could not be told apart: "
                "give one of them another (probe.named(...))"
            )
        seen.add(probe.name)


def _built(one: Any, rows: Rows | Mapping[str, Rows], tokenizer: Any) -> list[Probe]:
    if isinstance(one, Probe):
        return [one]
    is_class = isinstance(one, type) and issubclass(one, Probe)
    if not isinstance(one, str) and not is_class:
        raise UserError(
            f"{one!r} is no probe: expected names ({', '.join(probe_names())}), Probe classes or "
            "Probe objects"
        )
    kind = one if is_class else probe_class(one)
    name = getattr(kind, "name", kind.__name__) if is_class else one
    if isinstance(rows, Mapping) and kind.needs_data:
        rows = rows.get(name, rows)
        measured = {split: own for split, own in kind.splits.items() if split in rows}
        if isinstance(rows, Mapping) and measured:
            return [
                build_probe(one, rows[split], tokenizer).named(own)
                for split, own in measured.items()
            ]
        if isinstance(rows, Mapping):
            raise _no_rows(name, kind, rows)
    probe = build_probe(one, rows, tokenizer)
    return [probe.named(one) if isinstance(one, str) and language_of(one) else probe]


def _no_rows(name: str, kind: type[Probe], rows: Mapping[str, Rows]) -> UserError:
    given = ", ".join(map(str, rows)) or "none"
    hint = ""
    if any(hasattr(part, "column_names") for part in rows.values()):
        splits = f"one split or several of {', '.join(kind.splits)}" if kind.splits else "one split"
        hint = f"; of a DatasetDict pass {splits}, data=dataset{_place_of_rows(rows)}"
    return UserError(
        f"no data for probe {name!r}: data are given for {given}. Expected rows, or a dict of "
        f"probe name -> rows{hint}"
    )


def _place_of_rows(rows: Mapping[str, Rows]) -> str:
    """The first split, through configurations if there are several: "['en']['test']"."""
    name, part = next(iter(rows.items()))
    below = _place_of_rows(part) if isinstance(part, Mapping) and part else ""
    return f"[{name!r}]{below}"


def _require_data(name: str, rows: Rows) -> None:
    if rows is None:
        raise UserError(
            f"probe {name!r} looks at sentences and was given none: pass data=rows, a "
            "datasets.Dataset or a list of dicts with the columns that it reads"
        )
    if isinstance(rows, str | bytes | PathLike):
        raise UserError(
            f"data={rows!r}: probe {name!r} expected rows, not a name or a path: load them first "
            "(datasets.load_dataset, hf_grok.datasets_scripts.Treebank)"
        )


def _checked(name: str, found: Any) -> type[Probe]:
    if isinstance(found, type) and issubclass(found, Probe):
        return found
    raise UserError(
        f"probe {name!r} (an entry point of group {GROUP}, or the behaviour of a language) is "
        f"{found!r}: expected a subclass of hf_grok.probes.Probe"
    )
