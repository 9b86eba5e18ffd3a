"""From run directories to a page and its figures."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hf_grok.dynamics import load_run
from hf_grok.errors import UserError
from hf_grok.report.figures.accuracy import caption_accuracies, draw_accuracies
from hf_grok.report.figures.attention import caption_attention, draw_attention
from hf_grok.report.figures.breakdown import caption_breakdown, draw_breakdown
from hf_grok.report.figures.depth import caption_depths, depth_series, draw_depths
from hf_grok.report.figures.early_stopping import caption_early_stopping, draw_early_stopping
from hf_grok.report.figures.loss import caption_losses, draw_losses
from hf_grok.report.figures.relations import caption_relations, draw_relations
from hf_grok.report.figures.structure import caption_structure, draw_structure
from hf_grok.report.figures.trajectory import caption_trajectory, draw_trajectory
from hf_grok.report.figures.trees import caption_trees, draw_trees
from hf_grok.report.groups import Group, group_runs
from hf_grok.report.page import make_section, render_page
from hf_grok.report.style.drawing import Picture, matplotlib_module, save, theme
from hf_grok.report.text.records import summary_records
from hf_grok.runs.folder import make_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = "report.html"
EXPLORER = "explore.html"
TABLE = "summary.csv"
FIGURES = "figures"
# name, drawing and caption of the figures of one group; a drawing without data is None.
DRAWINGS: tuple[tuple[str, Callable[[Group], Figure | None], Callable[[Group], str]], ...] = (
    ("accuracy", draw_accuracies, caption_accuracies),
    ("kinds", draw_breakdown, caption_breakdown),
    ("early-stopping", draw_early_stopping, lambda _: caption_early_stopping()),
    ("loss", draw_losses, caption_losses),
    ("trajectory", draw_trajectory, caption_trajectory),
    ("structure", draw_structure, caption_structure),
    ("relations", draw_relations, caption_relations),
    ("trees", draw_trees, caption_trees),
    ("attention", draw_attention, caption_attention),
)


def write_report(
    run_dirs: Sequence[str | os.PathLike[str]], out_dir: str | os.PathLike[str]
) -> list[Path]:
    """One page, one table and the figures of some runs, written into a folder.

    Runs of one recipe, scale, model and depth are seeds of each other and share their figures;
    others get a section of their own; several depths of one recipe are compared in one more
    figure. What an earlier report wrote under the same names is replaced. The page links the
    explorer's (`hf-grok explore`) where one lies beside it.

    Args:
        run_dirs: run directories, as `hf-grok train` writes them; at least one.
        out_dir: folder for the report, made where it is missing.

    Returns:
        The files written: `report.html` first, then `summary.csv`, then `figures/*`.

    Raises:
        UserError: if a directory holds no readable run or no evaluation, if a run is given twice,
            if `out_dir` cannot be made, or if matplotlib or pandas is not installed.
    """
    if not run_dirs:
        raise UserError("no run was given: name at least one run directory")
    matplotlib_module("matplotlib")
    groups = group_runs([load_run(path) for path in run_dirs])
    folder = Path(out_dir)
    make_folder(folder / FIGURES, "choose another one with --out")
    sections = [
        make_section(group, _draw_group(group, folder / FIGURES, alone=len(groups) == 1))
        for group in groups
    ]
    comparisons = [_draw_depths(members, folder / FIGURES) for members in depth_series(groups)]
    explorer = EXPLORER if (folder / EXPLORER).is_file() else None
    page = render_page(sections, comparisons, explorer)
    (folder / PAGE).write_text(page, encoding="utf-8")
    _write_table(folder / TABLE, groups)
    pictures = [*comparisons, *(picture for section in sections for picture in section.pictures)]
    return [
        folder / PAGE,
        folder / TABLE,
        *(file for picture in pictures for file in picture.files),
    ]


def _draw_group(group: Group, folder: Path, *, alone: bool) -> list[Picture]:
    pictures = []
    for name, draw, caption in DRAWINGS:
        full_name = name if alone else f"{group.slug}-{name}"
        with theme(full_name):
            figure = draw(group)
            if figure is not None:
                pictures.append(save(figure, folder, full_name, caption(group)))
    return pictures


def _draw_depths(members: Sequence[Group], folder: Path) -> Picture:
    name = "depth-" + "-".join(filter(None, (members[0].recipe, members[0].scale)))
    with theme(name):
        return save(draw_depths(members), folder, name, caption_depths())


def _write_table(path: Path, groups: list[Group]) -> None:
    records = summary_records(groups)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(records[0]))
        writer.writeheader()
        writer.writerows(records)
