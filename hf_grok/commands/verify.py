"""`hf-grok verify REPO_OR_DIR`: is every step of a series there, its own, and what it says?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hf_grok._option_parser import OptionParser

if TYPE_CHECKING:
    from hf_grok.series.verify.report import Report

_EXAMPLES = """\
examples:
  hf-grok verify me/my-series
      hashes of all revisions, without downloading weights; a token that may read is enough
  hf-grok verify EleutherAI/pythia-70m-deduped
      somebody else's series, without a manifest: repeated weights and holes are still found
  hf-grok verify runs/demo
      a run on this disk: its journal, what waits for pushing, its checkpoints

exit status: 0 for a clean series, 1 for one with problems, 2 where it cannot be looked at"""

_SHOWN = 12


def build_parser() -> OptionParser:
    """The options of `hf-grok verify`."""
    parser = OptionParser(
        prog="hf-grok verify",
        description=(
            "Check a series of checkpoints: revisions that are missing, empty, repeated,\n"
            "mislabelled, altered or foreign, and holes in the schedule. Revisions are known by\n"
            "their names (step1000, stage1-step1000-tokens3B, chck_1M, ...) or by the index of\n"
            "the series; each is compared with its series.json where it has one."
        ),
        epilog=_EXAMPLES,
    )
    parser.add_argument("series", metavar="REPO_OR_DIR", help="Hub repository, or folder")
    parser.add_argument(
        "--revisions",
        metavar="REGEX",
        help="names of other steps, with one group for the step: 'run-(\\d+)-ema'",
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Print the report; 0 if it is clean, 1 if not.

    Raises:
        UserError: there is no such series, or it cannot be reached.
    """
    options = build_parser().parse_args(arguments)
    report = verify(options.series, options.revisions, quiet=options.json)
    print(json.dumps(report.to_json(), indent=1) if options.json else as_text(report))
    return 1 if report.problems else 0


def verify(series: str, revisions: str | None = None, *, quiet: bool = False) -> Report:
    """The report on a folder, if there is one of that name, else on a Hub repository.

    Raises:
        UserError: as `verify_folder` and `verify_hub`; names of revisions for a folder.
    """
    from hf_grok.errors import UserError
    from hf_grok.series.hub.repository import check_repository_name
    from hf_grok.series.verify.hub import verify_hub
    from hf_grok.series.verify.local import verify_folder

    folder = Path(series)
    if folder.is_dir():
        if revisions is not None:
            raise UserError(f"{series} is a folder: --revisions reads names of a Hub repository")
        return verify_folder(folder, quiet=quiet)
    if folder.exists():
        raise UserError(f"{series} is a file: expected a folder, or a Hub repository")
    return verify_hub(check_repository_name(series), revisions=revisions, quiet=quiet)


def as_text(report: Report) -> str:
    """A line a revision (the middle of a long series left out), then what is wrong.

    What a repository says of itself is shown without what a terminal would obey.
    """
    from hf_grok.text.printable import printable

    return "\n".join(map(printable, _lines(report)))


def _lines(report: Report) -> list[str]:
    names = [f"  {found.name:<32}{_digest(found.weights)}" for found in report.revisions]
    if len(names) > 2 * _SHOWN:
        left_out = f"  ... {len(names) - 2 * _SHOWN} more"
        names = [*names[:_SHOWN], left_out, *names[-_SHOWN:]]
    count, described = len(report.revisions), report.described
    head = f"{report.source}: {count} revisions, {described} with a manifest"
    units = sorted({found.unit for found in report.revisions} - {"steps"})
    head += f" (their names count {', '.join(units)})" if units else ""
    names += [report.left_out] if report.left_out else []
    if not report.problems:
        return [head, *names, "clean: every revision is there once and as it says"]
    problems = [f"  {p.kind:<16}{p.revision:<24}{p.detail}" for p in report.problems]
    plural = "problem" if len(problems) == 1 else "problems"
    return [head, *names, f"{len(problems)} {plural}:", *problems]


def _digest(weights: Mapping[str, str]) -> str:
    if not weights:
        return "no weights"
    more = f" (+{len(weights) - 1})" if len(weights) > 1 else ""
    return f"{next(iter(weights.values()))[:16]}{more}"
