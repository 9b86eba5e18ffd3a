"""`hf-grok probe`: from the options to the results file, and what is printed of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hf_grok.commands.probe.about import about_probes, notes
from hf_grok.commands.probe.asking import asked_probes, probe_names_of
from hf_grok.commands.probe.parser import build_parser
from hf_grok.commands.probe.tables import probe_list, summary
from hf_grok.errors import UserError
from hf_grok.runs.folder import RESULTS_FILE

if TYPE_CHECKING:
    from hf_grok.series.revision_names import NameReader


def main(arguments: Sequence[str]) -> int:
    """Probe what is missing, print the numbers, return 0; 1 if a probe failed."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.list:
        print(probe_list())
        return 0
    if options.model is None or options.probes is None:
        parser.error("name a MODEL and --probes (hf-grok probe --list names them)")
    from hf_grok.evaluation import ProbeResults, at_steps, find_checkpoints, probe_series
    from hf_grok.evaluation.remote import index_of, names_in_index, trained_scheme

    pattern = _pattern_of_names(options)
    asked = asked_probes(probe_names_of(options.probes), options)
    index = index_of(options.model)
    names = pattern or names_in_index(index)
    checkpoints = at_steps(
        find_checkpoints(options.model, options.revision, names=names), options.steps
    )
    path = options.out or default_file(options.model)
    trained = trained_scheme(options.model, index)
    results = ProbeResults(path, options.model, about_probes(asked, trained))
    probe_series(checkpoints, asked, results)
    for said in notes(asked, trained):
        print(f"note: {said}", file=sys.stderr)
    print(summary(results, [one.name for one in asked]))
    print(f"written to {path}")
    return 1 if results.failures else 0


def _pattern_of_names(options: argparse.Namespace) -> NameReader | None:
    """What --revisions reads; None without it. Nothing is asked of the Hub before it is known.

    Raises:
        UserError: it stands beside --revision, a folder is named, or it is no such expression.
    """
    from hf_grok.series.revision_names import NameReader

    if options.revisions is None:
        return None
    if options.revision is not None or Path(options.model).exists():
        other = "--revision" if options.revision is not None else f"the folder {options.model}"
        raise UserError(f"--revisions chooses among those of a Hub repository, not with {other}")
    return NameReader(pattern=options.revisions)


def default_file(model: str) -> Path:
    """Beside a local model; in the working directory for one of the Hub."""
    folder = Path(model)
    return folder / RESULTS_FILE if folder.is_dir() else Path(RESULTS_FILE)
