"""The journal: what became of each step, on disk before anything else happens.

`RUN/series/journal.jsonl`, one JSON object a line, only ever added to; the last row of a step
wins. Every row is on the disk (fsync) before the call returns, so that a killed process or a power
cut leaves at worst a last line that was cut, which is passed over and written again.

Rows are read once: a call reads what was added since the last one, by whichever process.
"""

from __future__ import annotations

import json
import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import IO, Any

from filelock import FileLock

from hf_grok.runs.folder import sync
from hf_grok.runs.manifest import Files, files_from_json, files_to_json
from hf_grok.runs.step import NamedStep, values_from_json
from hf_grok.series.errors import SeriesError
from hf_grok.series.local.manifest import Manifest, weights_of
from hf_grok.text.json_reading import parse_object
from hf_grok.text.printable import quoted

JOURNAL_FILE = "journal.jsonl"
_BLOCK = 1 << 16


class State(str, Enum):
    """How far a step has come."""

    SAVED = "saved"  # the run has it; nothing has been set aside yet
    STAGED = "staged"  # what will be pushed lies apart, out of reach of later saves and rotation
    PUSHED = "pushed"  # the commit's tree was read back and equals what was staged
    VERIFIED = "verified"  # seen again later: the branch still points at that commit
    REFUSED = "refused"  # must not be published; `reason` says why


DONE = (State.PUSHED, State.VERIFIED)


@dataclass(frozen=True)
class StepRecord(NamedStep):
    """One row of the journal.

    Attributes:
        state: how far it has come.
        files: name -> size and digest of what is pushed; empty until it is staged.
        repository: where it was pushed.
        commit: of the push.
        pages: git's names of series.json and README.md as they were pushed.
        reason: why it was refused, or what last went wrong.
    """

    state: State = State.SAVED
    files: Files = field(default_factory=dict)
    repository: str | None = None
    commit: str | None = None
    pages: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None

    @property
    def weights(self) -> dict[str, str]:
        """Name -> sha256 of its weights."""
        return weights_of(self.files)

    def manifest(self) -> Manifest:
        """What its series.json says."""
        return Manifest(self.step, self.revision, self.files, **self.values())

    def to_json(self) -> dict[str, Any]:
        """The row as it is written."""
        return {
            "step": self.step,
            "revision": self.revision,
            "state": self.state.value,
            "files": files_to_json(self.files),
            "repository": self.repository,
            "commit": self.commit,
            "pages": dict(self.pages),
            "reason": self.reason,
            **self.values_to_json(),
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> StepRecord:
        """The reverse of `to_json`."""
        values = {**row, "state": State(row["state"]), "files": files_from_json(row["files"])}
        del values["lambda"]
        record = cls(**{**values, **values_from_json(row)})
        if type(record.step) is not int:
            raise TypeError(f"step {quoted(record.step)}")
        return record


class _Rows:
    """What has been read of a journal, with the questions that are asked at every step answered."""

    def __init__(self) -> None:
        self.offset, self.lines = 0, 0
        self.last_line = b""
        self.file_id: tuple[int, int] | None = None
        self.records: dict[int, StepRecord] = {}
        self.in_state: dict[State, set[int]] = {state: set() for state in State}
        self.with_weights: dict[frozenset[tuple[str, str]], set[int]] = defaultdict(set)

    def take(self, record: StepRecord) -> None:
        """Let a row be its step's last one."""
        if (earlier := self.records.get(record.step)) is not None:
            self.in_state[earlier.state].discard(record.step)
            self.with_weights[frozenset(earlier.weights.items())].discard(record.step)
        elif self.records and record.step < next(reversed(self.records)):
            self.records = dict(sorted({**self.records, record.step: record}.items()))
        self.records[record.step] = record
        self.in_state[record.state].add(record.step)
        if record.weights:
            self.with_weights[frozenset(record.weights.items())].add(record.step)

    def follows(self, file: IO[bytes]) -> bool:
        """Whether a file still begins with what was read of it; stands behind that then."""
        status = os.fstat(file.fileno())
        if (status.st_dev, status.st_ino) != self.file_id or status.st_size < self.offset:
            return False
        file.seek(self.offset - len(self.last_line))
        return file.read(len(self.last_line)) == self.last_line


class Journal:
    """The rows of one run's series; safe to use from several threads and processes.

    Args:
        folder: the series' folder, which is made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL_FILE
        self._lock = threading.RLock()
        self._processes = FileLock(self.path.with_suffix(".lock"))
        self._rows = _Rows()

    def records(self) -> dict[int, StepRecord]:
        """The last row of every step, by step.

        Raises:
            SeriesError: a line other than a cut last one cannot be read.
        """
        with self._lock:
            return dict(self._read().records)

    def get(self, step: int) -> StepRecord | None:
        """The last row of one step."""
        with self._lock:
            return self._read().records.get(step)

    def in_state(self, *states: State) -> list[StepRecord]:
        """The last rows of the steps that have come so far, by step."""
        with self._lock:
            rows = self._read()
            steps = sorted(step for state in states for step in rows.in_state[state])
            return [rows.records[step] for step in steps]

    def twin(self, record: StepRecord) -> StepRecord | None:
        """Another step that is published, or waits to be, with the weights of this one."""
        if not record.weights:
            return None
        with self._lock:
            rows = self._read()
            steps = rows.with_weights.get(frozenset(record.weights.items()), set())
            others = (rows.records[step] for step in sorted(steps - {record.step}))
            return next((r for r in others if r.state is not State.REFUSED), None)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While it lasts nobody else writes here: what was read of a step is still so.

        Raises:
            SeriesError: the lock's file cannot be written, as on a full disk.
        """
        with self._lock:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._processes.acquire()
            except OSError as error:
                raise self._not_written(error) from error
            try:
                yield
            finally:
                self._processes.release()

    def append(self, record: StepRecord) -> StepRecord:
        """Add a row, durably; a row that was cut before it is taken away first.

        Raises:
            SeriesError: it cannot be written, as on a full disk. What stands in the journal stays.
        """
        line = (json.dumps(record.to_json()) + "\n").encode()
        with self.alone():
            try:
                self._append(line)
            except OSError as error:
                raise self._not_written(error) from error
        return record

    def update(self, step: int, **changes: Any) -> StepRecord:
        """Add a row that is the step's last one with some values changed."""
        with self.alone():
            return self.append(replace(self._read().records[step], **changes))

    def _read(self) -> _Rows:
        """What stands in the file, of which only the new lines are read."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            self._rows = _Rows()
            return self._rows
        with file:
            if not self._rows.follows(file):
                status = os.fstat(file.fileno())
                self._rows = _Rows()
                self._rows.file_id = (status.st_dev, status.st_ino)
                file.seek(0)
            text = file.read()
        for line in text[: text.rfind(b"\n") + 1].splitlines(keepends=True):
            self._rows.take(self._record(line, self._rows.lines + 1))
            self._rows.lines += 1
            self._rows.offset += len(line)
            self._rows.last_line = line
        return self._rows

    def _record(self, line: bytes, number: int) -> StepRecord:
        try:
            return StepRecord.from_json(parse_object(line, "it"))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise SeriesError(
                f"{self.path}:{number} is no row of a journal ({quoted(error, 200)}). Fix the "
                "line, or move the folder away: a series is staged anew from the checkpoints that "
                "are there."
            ) from None

    def _append(self, line: bytes) -> None:
        fresh = not self.path.exists()
        with self.path.open("a+b", buffering=0) as file:
            end = _whole_length(file)
            file.truncate(end)
            try:
                written = file.write(line)
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise
            if written != len(line):  # the disk is full: half a line went in
                file.truncate(end)
                raise OSError(f"wrote {written} of {len(line)} bytes")
        if fresh:
            sync_folder(self.path.parent)

    def _not_written(self, error: OSError) -> SeriesError:
        return SeriesError(
            f"could not write to {self.path}: {error}. Make room; `hf-grok push` then "
            "stages what the journal lacks from the checkpoints that are still there."
        )


def _whole_length(file: IO[bytes]) -> int:
    """Length of a file up to its last line end, looked for from behind."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        begin = max(0, end - _BLOCK)
        file.seek(begin)
        if (at := file.read(end - begin).rfind(b"\n")) >= 0:
            return begin + at + 1
        end = begin
    return 0


def sync_folder(folder: Path) -> None:
    """Put a folder's names on the disk; a no-op where the system has no such thing."""
    with suppress(PermissionError):  # Windows opens no folders
        sync(folder)
