"""From a sweep's folder to its tables and its figures."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hf_grok.report.style.drawing import matplotlib_module, save, theme
from hf_grok.report.sweep.arrivals import (
    caption_arrivals,
    caption_seeds,
    draw_arrivals,
    draw_seeds,
)
from hf_grok.report.sweep.depths import caption_sweep_depths, draw_sweep_depths
from hf_grok.report.sweep.figure import caption_arms, draw_arms
from hf_grok.report.sweep.runs import Sweep
from hf_grok.report.sweep.several import read_sweeps
from hf_grok.report.sweep.table import markdown, records
from hf_grok.runs.folder import make_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "arms"
# name, drawing and caption of each figure; a drawing without data is None.
DRAWINGS: tuple[tuple[str, Callable[[Sweep], Figure | None], Callable[[Sweep], str]], ...] = (
    (NAME, draw_arms, caption_arms),
    ("arrivals", draw_arrivals, caption_arrivals),
    ("seeds", draw_seeds, caption_seeds),
    ("depth", draw_sweep_depths, caption_sweep_depths),
)


def write_arms(
    sweeps: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out_dir: str | os.PathLike[str],
    until: int | None = None,
) -> list[Path]:
    """The tables and the figures of a sweep, over its finished runs, written into a folder.

    Args:
        sweeps: a folder that `hf-grok sweep` wrote, or the `results.parquet` that it left; several
            are reported as one, arms of one name with the seeds of all.
        out_dir: made where it is missing; what an earlier report wrote there is replaced.
        until: the step to which runs are read; those that end before it are left out, and named.

    Returns:
        The files written: `arms.md` (tables for people), `arms.csv` (one line for each arm and
        number), and as SVG and PNG `arms` (curves), `arrivals` (the share of seeds that have
        arrived by a step; left out where no quantity has a level), `seeds` (each at its end) and
        `depth` (generalization by depth, where the arms are depths).

    Raises:
        UserError: no sweep lies there, none of its runs is finished, `out_dir` cannot be made, or
            matplotlib, pandas or scipy is not installed.
    """
    matplotlib_module("matplotlib")
    places = [sweeps] if isinstance(sweeps, str | os.PathLike) else sweeps
    sweep, folder = read_sweeps(places, until), Path(out_dir)
    make_folder(folder, "choose another one with --out")
    table = folder / f"{NAME}.md"
    table.write_text(markdown(sweep), encoding="utf-8")
    return [table, _write_records(sweep, folder / f"{NAME}.csv"), *_draw(sweep, folder)]


def _write_records(sweep: Sweep, path: Path) -> Path:
    rows = list(records(sweep))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _draw(sweep: Sweep, folder: Path) -> list[Path]:
    files: list[Path] = []
    for name, draw, caption in DRAWINGS:
        with theme(name):
            figure = draw(sweep)
            if figure is not None:
                files += save(figure, folder, name, caption(sweep)).files
    return files
