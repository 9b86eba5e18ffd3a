"""The texts beside the weights: README.md of a step and of the series."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from hf_grok.model_cards import SeriesCard, series_readme, step_readme
from hf_grok.series.card_facts import CONFIG_FILE, read_notes, series_card
from hf_grok.series.journal import StepRecord


def render_step_card(
    run: Path, staged: Path, records: Sequence[StepRecord], step: int, repository: str | None
) -> str:
    """README.md of one revision.

    Args:
        run: the run's folder.
        staged: files of the step.
        records: of the series, this step's and those before it among them.
        step: whose card.
        repository: where the series goes; None where nobody has said.
    """
    before = [record for record in records if record.step <= step]
    return step_readme(_card(run, staged, before, repository), step)


def render_series_card(
    run: Path, staged: Path, records: Sequence[StepRecord], repository: str, old: str | None
) -> str:
    """README.md of `main`, with what people wrote into `old`, the one that stands there."""
    return series_readme(_card(run, staged, records, repository), old)


def _card(
    run: Path, staged: Path, records: Sequence[StepRecord], repository: str | None
) -> SeriesCard:
    notes = read_notes(run)
    config = staged / CONFIG_FILE
    if config.is_file():  # of this very step; the run's own may be rotated away
        found = json.loads(config.read_text(encoding="utf-8"))
        notes = dataclasses.replace(notes, config=found)
    return series_card(notes, records, repo_id=repository)
