"""The texts beside the weights: README.md of a step and of the series."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from hf_grok.model_cards import SeriesCard, series_readme, step_readme
from hf_grok.model_cards.metadata import eval_result_files
from hf_grok.runs.folder import CONFIG_FILE
from hf_grok.runs.notes import RunNotes, name_of, read_about, read_notes
from hf_grok.series.card.from_run import series_card
from hf_grok.series.card.options import picture_files, read_options
from hf_grok.series.errors import SeriesError
from hf_grok.series.local.journal import StepRecord
from hf_grok.text.json_reading import read_object


def render_step_card(run: Path, staged: Path, record: StepRecord, repository: str | None) -> str:
    """README.md of one revision, which speaks of that step alone: it costs the same at every step.

    Args:
        run: the run's folder.
        staged: files of the step.
        record: of the step.
        repository: where the series goes; None where nobody has said.
    """
    notes = RunNotes(name_of(run), read_about(run), [], {}, {})
    return step_readme(_card(run, notes, staged, [record], repository), record.step)


def render_series_card(
    run: Path, staged: Path, records: Sequence[StepRecord], repository: str, old: str | None
) -> str:
    """README.md of `main`, with what people wrote into `old`, the one that stands there."""
    return series_readme(_card(run, read_notes(run), staged, records, repository), old)


def files_beside(
    run: Path, staged: Path, records: Sequence[StepRecord], repository: str
) -> dict[str, bytes]:
    """What `main` gets beside the last step's files: pictures, and results where asked for."""
    files = picture_files(run)
    if read_options(run).eval_results:
        results = eval_result_files(_card(run, read_notes(run), staged, records, repository))
        files.update({path: text.encode() for path, text in results.items()})
    return files


def _card(
    run: Path, notes: RunNotes, staged: Path, records: Sequence[StepRecord], repository: str | None
) -> SeriesCard:
    said = read_options(run)
    config = staged / CONFIG_FILE
    if config.is_file():  # of this very step; the run's own may be rotated away
        found = read_object(config, nonfinite=True, error=SeriesError)
        notes = dataclasses.replace(notes, config=found)
    return series_card(
        notes,
        records,
        repo_id=repository,
        licence=said.licence,
        dataset=said.dataset,
        base_model=said.base_model,
        figures=said.pictures(),
    )
