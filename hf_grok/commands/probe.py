"""`hf-grok probe`: structural probes on a saved model, or on a whole series of checkpoints."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_grok._option_parser import OptionParser
from hf_grok.annotation.scheme import SCHEME
from hf_grok.errors import UserError, unknown_name
from hf_grok.runs.folder import RESULTS_FILE
from hf_grok.yaml_reading import parse_yaml

if TYPE_CHECKING:
    from hf_grok.offline import Checkpoint, ProbeResults
    from hf_grok.offline.data import ProbeData

# Revisions in the printed table.
SHOWN = 6

_EXAMPLES = """\
examples:
  hf-grok probe runs/demo --data question-formation --where task=quest --sample 100 --probes tree
      every checkpoint of a run; what is there already is not computed again
  hf-grok probe bert-base-uncased --data en_ewt-ud-dev.conllu --probes uas,sparsity
      a model of the Hub on a treebank, UAS beside its fixed-offset baselines
  hf-grok probe me/my-series --data uas=dev.conllu --data pairs=blimp/ --probes uas,pairs,norm
      every step* revision of a Hub repository, each probe over data of its own
  hf-grok probe runs/my-run --data minimal-pairs --sample 4000 --probes pairs --steps last
      the end of a run on more pairs than the run itself takes; `hf-grok report` uses it
  hf-grok probe my-gpt2 --data dev.conllu --probes uas --add-start
      a tokenizer that puts no start token in front"""


def build_parser() -> OptionParser:
    """The options of `hf-grok probe`."""
    parser = OptionParser(
        prog="hf-grok probe",
        description=(
            "Measure what happens inside a model: attention to syntactic heads, tree structure,\n"
            "sparsity, weight norms, intrinsic dimension, minimal pairs. MODEL is a folder with a\n"
            "model, a run's folder (all its checkpoints), or a Hub repository (its step*\n"
            "revisions, or --revision). Results are a row per (revision, probe, metric), written\n"
            "after every probe: run the same command again to go on where it stopped."
        ),
        epilog=_EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", nargs="?", help="folder or Hub repository")
    parser.add_argument("--revision", help="one branch, tag or commit of a Hub repository")
    parser.add_argument(
        "--revisions",
        metavar="REGEX",
        help="names of a repository's steps, with one group for the step: 'run-(\\d+)-ema'",
    )
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="[PROBE=]SOURCE",
        help="a .conllu treebank, .jsonl minimal pairs (or a folder of them), a data set (folder "
        "or Hub name) or a language that `hf-grok data --help` lists, minimal-pairs among them; "
        "with PROBE= for that probe alone; repeatable",
    )
    parser.add_argument(
        "--steps", metavar="STEPS", help='of a series: "last", or steps with commas between them'
    )
    parser.add_argument("--split", default="test", help="of a data set (default: test)")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="only rows that have this value, such as task=quest; repeatable",
    )
    parser.add_argument(
        "--max-words",
        type=int,
        metavar="N",
        help="leave out rows of more words, such as those too long for the model; how many is said",
    )
    parser.add_argument("--sample", type=int, metavar="N", help="at most N rows, drawn by --seed")
    parser.add_argument("--seed", type=int, default=0, help="draws the sample (default: 0)")
    parser.add_argument(
        "--skip-bad-lines",
        action="store_true",
        help="of a file with wrong lines: leave them out (of a treebank: their sentences) and say "
        "how many, instead of ending at the first",
    )
    parser.add_argument(
        "--probes", metavar="NAMES", help="names with commas between them; --list shows them"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"where results go (default: {RESULTS_FILE}, in MODEL if that is a folder)",
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="PROBE.NAME=VALUE",
        help="an argument of a probe's class, such as uas.selection=same; repeatable",
    )
    parser.add_argument(
        "--allow-unknown", action="store_true", help="words that the tokenizer does not know stay"
    )
    parser.add_argument(
        "--add-start", action="store_true", help="put the tokenizer's start token in front"
    )
    parser.add_argument("--list", action="store_true", help="name the probes and leave")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Probe what is missing, print the numbers, return 0; 1 if a probe failed."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.list:
        print(probe_list())
        return 0
    if options.model is None or options.probes is None:
        parser.error("name a MODEL and --probes (hf-grok probe --list names them)")
    from hf_grok.offline import ProbeResults, at_steps, probe_series

    names = probe_names_of(options.probes)
    data = data_of(names, options)
    checkpoints = at_steps(_found(options), options.steps)
    arguments_of = options_of(names, options)
    path = options.out or default_file(options.model)
    results = ProbeResults(path, options.model, about_probes(data, arguments_of))
    probe_series(checkpoints, names, data, results, arguments_of)
    for said in notes(options.model, data):
        print(f"note: {said}", file=sys.stderr)
    print(summary(results, names))
    print(f"written to {path}")
    return 1 if results.failures else 0


def notes(model: str, data: Mapping[str, ProbeData | None]) -> list[str]:
    """What was left out of the data, and whether heads follow another scheme than in training."""
    from hf_grok.annotation.scheme import scheme_mismatch
    from hf_grok.runs.record import recorded

    found = [each for each in data.values() if each is not None]
    said = {each.left_out for each in found if each.left_out}
    run = recorded(Path(model)) if Path(model).is_dir() else None
    recorded_schemes = (run or {}).get("annotation")
    trained = recorded_schemes.get("training") if isinstance(recorded_schemes, dict) else None
    schemes = {each.scheme for each in found if each.scheme is not None}
    differing = [scheme_mismatch(trained, scheme) for scheme in schemes if trained is not None]
    return [*sorted(said), *sorted(filter(None, differing))]


def _found(options: argparse.Namespace) -> list[Checkpoint]:
    """The checkpoints of MODEL, in order.

    Raises:
        UserError: as `find_checkpoints`; --revisions beside --revision, or of a folder.
    """
    from hf_grok.offline import find_checkpoints
    from hf_grok.offline.checkpoints import names_of_series

    model, revisions = options.model, options.revisions
    if revisions is not None and (options.revision is not None or Path(model).exists()):
        other = "--revision" if options.revision is not None else f"the folder {model}"
        raise UserError(f"--revisions chooses among those of a Hub repository, not with {other}")
    if options.revision is not None or Path(model).exists():
        return find_checkpoints(model, options.revision)
    return find_checkpoints(model, names=names_of_series(model, revisions))


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


def data_of(names: Sequence[str], options: argparse.Namespace) -> dict[str, ProbeData | None]:
    """Each probe's rows, a source that serves several being read once.

    Raises:
        UserError: a probe without data, a PROBE= that is not probed, a condition without a value.
    """
    from hf_grok.offline.data import load_data
    from hf_grok.probes import probe_class

    sources = _sources(names, options.data)
    where = [_condition(text) for text in options.where]
    read: dict[str, ProbeData] = {}
    data: dict[str, ProbeData | None] = {}
    for name in names:
        if not probe_class(name).needs_data:
            data[name] = None
            continue
        if name not in sources:
            raise UserError(
                f"probe {name!r} needs data: give --data SOURCE or --data {name}=SOURCE"
            )
        source = sources[name]
        if source not in read:
            chosen: dict[str, Any] = {
                "max_words": options.max_words,
                "sample": options.sample,
                "seed": options.seed,
                "skip_bad_lines": options.skip_bad_lines,
            }
            read[source] = load_data(source, split=options.split, where=where, **chosen)
        data[name] = read[source]
    return data


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
        found[probe][name] = parse_yaml(value, f"--option {place}")
    return found


def about_probes(
    data: Mapping[str, ProbeData | None], options: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """What a results file says of each probe: its rows and its options."""
    return {
        name: {
            "data": None if found is None else found.description,
            "fingerprint": None if found is None else found.fingerprint,
            "options": dict(options[name]),
            **_declared(name),
            **({SCHEME: found.scheme} if found is not None and found.scheme else {}),
        }
        for name, found in data.items()
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
