"""One HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from hf_grok.report.groups import Group, differing_settings
from hf_grok.report.style.drawing import Picture
from hf_grok.report.style.numerals import spoken_list
from hf_grok.report.style.palette import COLOURS
from hf_grok.report.text.group_prose import describe_group, unfinished
from hf_grok.report.text.run_prose import describe_run
from hf_grok.report.text.settings import setting_rows
from hf_grok.report.text.structure_rows import failed_probes, paradigm_rows, structure_rows
from hf_grok.report.text.tables import Row, summary_rows
from hf_grok.version import __version__

FIGURE_TITLES = {
    "accuracy": "Accuracies",
    "kinds": "Generalization by kind",
    "early-stopping": "Early stopping",
    "loss": "Losses",
    "trajectory": "Trajectory",
    "structure": "Structure, over its baselines",
    "relations": "UAS by relation",
    "trees": "Projected trees",
    "attention": "Attention maps",
}


@dataclass(frozen=True)
class Section:
    """What a page says about one group of runs, in the order in which it says it."""

    group: Group
    summary: str
    warnings: Sequence[str]
    pictures: Sequence[Picture]
    summary_rows: Sequence[Row]
    stories: Sequence[tuple[str, str]]
    setting_rows: Sequence[Row]
    notes: Sequence[str]


def make_section(group: Group, pictures: Sequence[Picture]) -> Section:
    """Everything about one group, ready for the template."""
    return Section(
        group=group,
        summary=describe_group(group),
        warnings=[*unfinished(group), *_mixed_settings(group), *failed_probes(group)],
        pictures=pictures,
        summary_rows=[*summary_rows(group), *structure_rows(group), *paradigm_rows(group)],
        stories=_stories(group),
        setting_rows=setting_rows(group),
        notes=[note for run in group.runs for note in run.notes],
    )


def render_page(
    sections: Sequence[Section], comparisons: Sequence[Picture], explorer: str | None = None
) -> str:
    """The page's HTML: style and drawings inside, no script, no address outside of it.

    Args:
        sections: one a group of runs.
        comparisons: of several of them, which stand first.
        explorer: address of the page of the same runs that can be asked; None for no link.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hf_grok.report", package_path=""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    css = files("hf_grok.report").joinpath("page.css").read_text(encoding="utf-8")
    return environment.get_template("page.html.jinja").render(
        title=_title(sections),
        sections=sections,
        comparisons=comparisons,
        figure_titles=figure_titles,
        explorer=explorer,
        colours=COLOURS,
        css=css,
        version=__version__,
        run_count=sum(len(section.group.runs) for section in sections),
    )


def figure_titles(pictures: Sequence[Picture]) -> list[tuple[str, str]]:
    """For a table of contents, a picture's name, which is its place in the page, and its title."""
    kinds = sorted(FIGURE_TITLES, key=len, reverse=True)
    ends = ((one.name, next(filter(one.name.endswith, kinds), None)) for one in pictures)
    return [(name, FIGURE_TITLES[kind] if kind else name) for name, kind in ends]


def _title(sections: Sequence[Section]) -> str:
    if len(sections) == 1:
        return sections[0].group.title
    recipes = dict.fromkeys(section.group.recipe for section in sections)
    count = sum(len(section.group.runs) for section in sections)
    return f"{spoken_list(list(recipes))}: {count} runs of {len(sections)} settings"


def _stories(group: Group) -> list[tuple[str, str]]:
    if len(group.runs) == 1 or not group.summaries:
        return []
    told = map(describe_run, group.runs, group.summaries)
    return list(zip(group.labels, told, strict=True))


def _mixed_settings(group: Group) -> list[str]:
    """A warning that the mean is over more than seeds."""
    differing = differing_settings(group)
    if not differing:
        return []
    parts = [
        f"{name} ("
        + ", ".join(f"{label}: {text}" for label, text in zip(group.labels, texts, strict=True))
        + ")"
        for name, texts in differing.items()
    ]
    return [
        f"These runs differ by more than their seed: {'; '.join(parts)}. Their mean is no mean "
        "over seeds."
    ]
