"""Steps set aside without their model's code where it is asked for later, and the reverse.

All steps of a series are to carry it, or none.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hf_grok.runs.folder import CONFIG_FILE
from hf_grok.runs.manifest import file_facts
from hf_grok.series.code.model_code import MODEL_CODE_FILE, ships_code
from hf_grok.series.errors import SeriesError
from hf_grok.series.local import staging
from hf_grok.series.local.journal import DONE, Journal, State, StepRecord
from hf_grok.series.local.manifest import SERIES_FILE, dump
from hf_grok.text.json_reading import read_object


def agree_on_code(folder: Path, journal: Journal, fix: staging.FixConfig) -> None:
    """Give the staged steps their model's code where `fix` asks for it and they lack it.

    Args:
        folder: of the series.
        journal: of the series.
        fix: what the published config.json says, from what the staged one says.

    Raises:
        SeriesError: steps that carry code and should not, or that are on the Hub without it.
    """
    for record in journal.records().values():
        config = staging.staged_folder(folder, record.step) / CONFIG_FILE
        if record.state not in (State.STAGED, *DONE) or not config.is_file():
            continue
        content = fix(read_object(config, nonfinite=True, error=SeriesError))
        carried = MODEL_CODE_FILE in record.files
        if ships_code(content) != carried:
            _refuse(record, carried)
            staging.write_config(config.parent, content)
            _describe_again(config.parent, journal, record)


def _refuse(record: StepRecord, carried: bool) -> None:
    if carried:
        raise SeriesError(
            f"{record.revision} carries its model's code, as every step of this series must then: "
            "go on with ship_code=True (hf-grok push --ship-code)"
        )
    if record.state in DONE:
        raise SeriesError(
            f"{record.revision} is on {record.repository} without its model's code, and a step is "
            "published once: go on without ship_code (--ship-code), or begin a series with it in "
            "another run folder and repository"
        )


def _describe_again(staged: Path, journal: Journal, record: StepRecord) -> None:
    """The journal last: a process that is killed before begins again here."""
    changed = {name: file_facts(staged / name) for name in (CONFIG_FILE, MODEL_CODE_FILE)}
    files = {**record.files, **changed}
    manifest = replace(record, files=files).manifest()
    (staged / SERIES_FILE).write_text(dump(manifest.to_json()), encoding="utf-8")
    staging.flush(staged)
    journal.update(record.step, files=files)
