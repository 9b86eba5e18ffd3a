"""From runs to the page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hf_grok.errors import UserError
from hf_grok.explorer.data import page_data
from hf_grok.explorer.page import library, render_page
from hf_grok.explorer.reading import read_explored
from hf_grok.report.write import PAGE as REPORT
from hf_grok.runs.folder import make_folder


def write_explorer(
    places: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    report: str | None = None,
) -> Path:
    """Write one HTML file with every curve, tree and map of some runs, to be asked in a browser.

    Args:
        places: folders of runs, logs of any Trainer, folders of sweeps or the tables that they
            leave; at least one.
        out: the file; its folder is made where it is missing, and what was there is replaced.
        report: address of the runs' report, relative to the file. By default `report.html` where
            one lies beside the file.

    Returns:
        The file.

    Raises:
        UserError: a place that holds no run, a run without evaluation or given twice; pictures in
            no known form; a file that cannot be written; a package of the extra `explore` that is
            not installed.
    """
    library()  # before anything is read: it may be missing
    path = Path(out)
    if report is None and (path.parent / REPORT).is_file():
        report = REPORT
    make_folder(path.parent, "name another file with --out")
    page = render_page(page_data(*read_explored(places)), report)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write {path} ({error.strerror}): name another file with --out"
        ) from error
    return path
