"""`hf-grok probe`: probes on a saved model, or on a whole series of checkpoints."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_grok.annotation.scheme import MISMATCH, SCHEME, scheme_mismatch
from hf_grok.commands.probe_parser import build_parser
from hf_grok.errors import UserError, unknown_name
from hf_grok.runs.folder import RESULTS_FILE
from hf_grok.text.json_reading import parse_json
from hf_grok.text.yaml_reading import parse_yaml

if TYPE_CHECKING:
    from hf_grok.evaluation import AskedProbe, Checkpoint, ProbeResults
    from hf_grok.evaluation.data import ProbeData
    from hf_grok.probes import Probe
    from hf_grok.series.local.manifest import Index

# To YAML 1.1 true and false, whatever their case.
_WORDS = ("yes", "no", "on", "off")
# Revisions in the printed table.
SHOWN = 6


def main(arguments: Sequence[str]) -> int:
    """Probe what is missing, print the numbers, return 0; 1 if a probe failed."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.list:
        print(probe_list())
        return 0
    if options.model is None or options.probes is None:
        parser.error("name a MODEL and --probes (hf-grok probe --list names them)")
    from hf_grok.evaluation import ProbeResults, at_steps, probe_series
    from hf_grok.evaluation.remote import index_of, trained_scheme

    names = probe_names_of(options.probes)
    asked = asked_probes(names, options)
    _require_choosable(options)
    index = index_of(options.model)
    checkpoints = at_steps(_found(options, index), options.steps)
    path = options.out or default_file(options.model)
    trained = trained_scheme(options.model, index)
    results = ProbeResults(path, options.model, about_probes(asked, trained))
    probe_series(checkpoints, asked, results)
    for said in notes(asked, trained):
        print(f"note: {said}", file=sys.stderr)
    print(summary(results, [one.name for one in asked]))
    print(f"written to {path}")
    return 1 if results.failures else 0


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


def _require_choosable(options: argparse.Namespace) -> None:
    """Refuse a --revisions that cannot be one, before anything is asked of the Hub.

    Raises:
        UserError: it stands beside --revision, a folder is named, or it is no such expression.
    """
    from hf_grok.series.revision_names import NameReader

    if options.revisions is None:
        return
    NameReader(pattern=options.revisions)
    if options.revision is not None or Path(options.model).exists():
        other = "--revision" if options.revision is not None else f"the folder {options.model}"
        raise UserError(f"--revisions chooses among those of a Hub repository, not with {other}")


def _found(options: argparse.Namespace, index: Index | None) -> list[Checkpoint]:
    """The checkpoints of MODEL, in order.

    Raises:
        UserError: as `find_checkpoints`.
    """
    from hf_grok.evaluation import find_checkpoints
    from hf_grok.evaluation.remote import names_of_series

    names = names_of_series(index, options.revisions)
    return find_checkpoints(options.model, options.revision, names=names)


def probe_list() -> str:
    """Every probe: its name, what its numbers are, where it comes from."""
    from hf_grok.probes import probe_class, probe_names

    lines = []
    for name in probe_names():
        kind = probe_class(name)
        lines.append(f"{name} ({kind.__name__}; {kind.source})")
        lines += [f"  {metric:<40}{facts.meaning}" for metric, facts in kind.metrics.items()]
    return "\n".join(lines)


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
    from hf_grok.evaluation.sources import read_source

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


def options_of(names: Sequence[str], options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Keyword arguments of each probe's class, from --option and the flags.

    Raises:
        UserError: an option that is no PROBE.NAME=VALUE, or of a probe that is not asked for.
    """
    from hf_grok.probes import probe_class

    flags = {"allow_unknown": options.allow_unknown, "add_start": options.add_start}
    given = {name: value for name, value in flags.items() if value}
    found = {name: dict(given) if probe_class(name).needs_data else {} for name in names}
    for text in options.option:
        place, separator, value = text.partition("=")
        probe, dot, name = place.partition(".")
        if not (separator and dot and name):
            raise UserError(f"--option {text}: expected PROBE.NAME=VALUE, as uas.selection=same")
        if probe not in found:
            raise unknown_name("probe in --option", probe, names)
        found[probe][name] = _value(value, f"--option {place}")
    return found


def _value(text: str, where: str) -> Any:
    """As JSON where it is JSON, else as YAML, so that [nsubj, obj] needs no quotes."""
    try:
        return parse_json(text, where)
    except UserError:
        return text if text.lower() in _WORDS else parse_yaml(text, where)


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


def default_file(model: str) -> Path:
    """Beside a local model; in the working directory for one of the Hub."""
    folder = Path(model)
    return folder / RESULTS_FILE if folder.is_dir() else Path(RESULTS_FILE)


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
