"""Which probes are asked for, and over which rows: --probes, --data and what chooses rows."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from hf_grok.commands.probe.options import options_of
from hf_grok.errors import UserError, unknown_name

if TYPE_CHECKING:
    from hf_grok.evaluation import AskedProbe
    from hf_grok.evaluation.data import ProbeData
    from hf_grok.probes import Probe


def probe_names_of(text: str) -> list[str]:
    """The probes named in "uas,tree".

    Raises:
        UserError: a name that no probe has.
    """
    from hf_grok.probes import probe_names

    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in probe_names():
            raise unknown_name("probe", name, probe_names())
    return names


def asked_probes(names: Sequence[str], options: argparse.Namespace) -> list[AskedProbe]:
    """The probes with their rows, a behaviour once for each split that it measures.

    Raises:
        UserError: a probe without data, a PROBE= that is not probed, a condition without a value,
            or two probes whose numbers would have one name.
    """
    from hf_grok.evaluation import AskedProbe
    from hf_grok.probes import probe_class

    sources, arguments = _sources(names, options.data), options_of(names, options)
    read = _reader(options)
    asked: list[AskedProbe] = []
    for name in names:
        kind = probe_class(name)
        if not kind.needs_data:
            asked.append(AskedProbe(name, name, None, arguments[name]))
            continue
        source = sources.get(name) or _own_language(name)
        for split, own in _measured(kind, name, source, options.split).items():
            asked.append(AskedProbe(name, own, read(source, split), arguments[name]))
    for one in asked:
        if (kinds := [other.kind for other in asked if other.name == one.name]) != [one.kind]:
            raise UserError(
                f"{' and '.join(kinds)} would both give the numbers {one.name}_*: measure them "
                "with a command each, and --out another file"
            )
    return asked


def _own_language(probe: str) -> str:
    """The language that a behaviour is measured on: it has the same name."""
    from hf_grok.probes.registry import language_of

    language = language_of(probe)
    if language is None:
        raise UserError(f"probe {probe!r} needs data: give --data SOURCE or --data {probe}=SOURCE")
    return language


def _measured(kind: type[Probe], name: str, source: str, split: str | None) -> Mapping[str, str]:
    """Split of the source -> name of the probe over it."""
    from hf_grok.evaluation.reading import has_splits
    from hf_grok.sources.words import read_source

    split = read_source(source).split or split
    if split is not None:
        return {split: kind.splits.get(split, name)}
    return kind.splits if kind.splits and has_splits(source) else {"test": name}


def _reader(options: argparse.Namespace) -> Callable[[str, str], ProbeData]:
    """Reads a split of a source as the options ask, once for all probes over it."""
    from hf_grok.evaluation.data import load_data

    chosen: dict[str, Any] = {
        "where": [_condition(text) for text in options.where],
        "max_words": options.max_words,
        "sample": options.sample,
        "seed": options.seed,
        "skip_bad_lines": options.skip_bad_lines,
        "run": options.model,
    }
    return cache(lambda source, split: load_data(source, split=split, **chosen))


def _sources(names: Sequence[str], given: Sequence[str]) -> dict[str, str]:
    sources: dict[str, str] = {}
    own: dict[str, str] = {}
    for text in given:
        probe, separator, source = text.partition("=")
        if separator and probe in names:
            own[probe] = source
        else:
            sources.update(dict.fromkeys(names, text))
    return {**sources, **own}


def _condition(text: str) -> tuple[str, str]:
    column, separator, value = text.partition("=")
    if not separator:
        raise UserError(f"--where {text}: expected COLUMN=VALUE, such as task=quest")
    return column, value
