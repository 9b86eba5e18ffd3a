"""A series on this disk: a run's folder, or a folder of revisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from hf_grok.errors import UserError
from hf_grok.runs.folder import MANIFEST_FILE
from hf_grok.runs.manifest import FileFacts, file_facts, flaw, flaws, is_incomplete
from hf_grok.series.errors import SeriesError
from hf_grok.series.local import staging
from hf_grok.series.local.journal import DONE, Journal, State, StepRecord
from hf_grok.series.local.manifest import (
    CARD_FILE,
    SERIES_FILE,
    Manifest,
    weights_of,
)
from hf_grok.series.local.selection import is_a_model
from hf_grok.series.revision_names import known_step
from hf_grok.series.run_series import SERIES_FOLDER, checkpoints
from hf_grok.series.verify.judging import judge
from hf_grok.series.verify.report import FoundRevision, Problem, Report
from hf_grok.text.files import read_text

Item = TypeVar("Item")


def verify_folder(folder: Path, *, quiet: bool = False) -> Report:
    """Hash everything that a folder holds of a series.

    Args:
        folder: of a run (its journal, what is staged, its checkpoints), or of folders each with a
            series.json.
        quiet: no progress bar.

    Raises:
        UserError: there is no series in it; the journal cannot be read.
    """
    records = Journal(folder / SERIES_FOLDER).records()
    saved = checkpoints(folder)
    described = [path.parent for path in sorted(folder.glob(f"*/{SERIES_FILE}"))]
    if not (records or saved or described):
        raise UserError(
            f"{folder} holds no series: expected a run with checkpoint-N or series/journal.jsonl, "
            f"or folders with {SERIES_FILE}"
        )
    found: dict[int, FoundRevision] = {}
    others: list[Problem] = []
    for step, record in _bar(records.items(), len(records), quiet):
        if record.state is State.REFUSED:
            others.append(Problem("refused", record.revision, str(record.reason)))
        elif record.state is State.SAVED:
            others += _not_set_aside(record, saved)
        else:
            found[step] = staged_revision(folder / SERIES_FOLDER, record)
    for step, path in _bar(saved.items(), len(saved), quiet):
        earlier = found.get(step)
        if earlier is None and step not in records:
            found[step] = saved_checkpoint(path, step)
        elif earlier is not None and _hashes(path, earlier.weights) != dict(earlier.weights):
            text = f"{path.name} has other weights than those that were set aside"
            others.append(Problem("altered", earlier.name, text))
    for path in described:
        revision = described_folder(path)
        found.setdefault(revision.step, revision)
    return judge(str(folder), found.values(), None, others, guess_schedule=not records)


def staged_revision(series: Path, record: StepRecord) -> FoundRevision:
    """A step as it lies staged; weights that are on the Hub already may be gone from here."""
    folder = staging.staged_folder(series, record.step)
    on_the_hub = record.state in DONE
    gone = [name for name in record.files if on_the_hub and not (folder / name).is_file()]
    texts = [*flaws(folder, record.files, gone, SeriesError), *_not_listed(folder, record.files)]
    problems = [Problem("altered", record.revision, text) for text in texts]
    try:
        manifest = _manifest_of(folder)
    except SeriesError as error:
        problems.append(Problem("unreadable", record.revision, str(error)))
        manifest = None
    weights = weights_of(record.files)
    return FoundRevision(
        record.revision,
        record.step,
        weights=weights,
        manifest=manifest,
        problems=tuple(problems),
    )


def saved_checkpoint(folder: Path, step: int) -> FoundRevision:
    """A checkpoint of a run that is in no journal."""
    name = f"step{step}"
    wrong = flaw(folder, any_trainer=True)
    problems = (Problem("altered", name, f"{folder.name}: {wrong}"),) if wrong else ()
    if not (folder / MANIFEST_FILE).is_file() and not is_incomplete(folder):
        problems = ()  # of a plain folder nobody has said what it holds
    return FoundRevision(name, step, weights=_hashes(folder), problems=problems)


def described_folder(folder: Path) -> FoundRevision:
    """A folder with a series.json, as one downloads a revision."""
    manifest = _manifest_of(folder)
    if manifest is None:
        raise SeriesError(f"{folder} has no {SERIES_FILE}")
    known = known_step(folder.name)
    step = manifest.step if known is None else known.step
    name = manifest.revision if known is None else folder.name
    hashed = set(weights_of(manifest.files))
    texts = [
        *flaws(folder, manifest.files, hashed, SeriesError),
        *_not_listed(folder, manifest.files),
    ]
    problems = tuple(Problem("altered", name, text) for text in texts)
    found = _hashes(folder, hashed)
    return FoundRevision(name, step, weights=found, manifest=manifest, problems=problems)


def _manifest_of(folder: Path) -> Manifest | None:
    path = folder / SERIES_FILE
    if not path.is_file():
        return None
    return Manifest.from_json(read_text(path, error=SeriesError), str(path))


def _not_set_aside(record: StepRecord, saved: dict[int, Path]) -> list[Problem]:
    if record.step in saved:
        return []  # hf-grok push takes it from there
    detail = record.reason or "it was saved, and neither set aside nor kept"
    return [Problem("missing", record.revision, detail)]


def _hashes(folder: Path, known: Iterable[str] = ()) -> dict[str, str]:
    """Of the model's weights, by the names that they have or are known to have."""
    files = sorted(path.name for path in folder.iterdir() if path.is_file())
    names = [name for name in files if name in set(known) or is_a_model(name)]
    return {name: file_facts(folder / name).sha256 for name in names}


def _not_listed(folder: Path, files: Mapping[str, FileFacts]) -> list[str]:
    """Files that lie in a revision's folder and that its manifest does not list."""
    known = {*files, SERIES_FILE, CARD_FILE}
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return [f"{name} is no file of it" for name in names if name not in known and name[0] != "."]


def _bar(items: Iterable[Item], total: int, quiet: bool) -> Iterable[Item]:
    return tqdm(items, total=total, desc="hashing", unit="step", disable=quiet or not total)
