"""The journal: what became of each step, on disk before anything else happens.

`RUN/series/journal.jsonl`, one JSON object a line, only ever added to; the last row of a step
wins. Every row is on the disk (fsync) before the call returns, so that a killed process or a power
cut leaves at worst a last line that was cut, which is passed over and written again.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

from filelock import FileLock

from hf_grok.run_files import sync
from hf_grok.series.errors import SeriesError
from hf_grok.series.manifest import (
    Files,
    Manifest,
    files_from_json,
    files_to_json,
    weights_of,
)

JOURNAL_FILE = "journal.jsonl"


class State(str, Enum):
    """How far a step has come."""

    SAVED = "saved"  # the run has it; nothing has been set aside yet
    STAGED = "staged"  # what will be pushed lies apart, out of reach of later saves and rotation
    PUSHED = "pushed"  # the commit's tree was read back and equals what was staged
    VERIFIED = "verified"  # seen again later: the branch still points at that commit
    REFUSED = "refused"  # must not be published; `reason` says why


DONE = (State.PUSHED, State.VERIFIED)


@dataclass(frozen=True)
class StepRecord:
    """One row of the journal.

    Attributes:
        step: optimiser step.
        revision: branch that holds it, or will.
        state: how far it has come.
        files: name -> size and digest of what is pushed; empty until it is staged.
        lambda_: weight of the regulariser.
        tokens_seen: tokens trained on so far.
        data_position: examples read so far.
        metrics: what was logged at this step.
        repository: where it was pushed.
        commit: of the push.
        reason: why it was refused, or what last went wrong.
    """

    step: int
    revision: str
    state: State = State.SAVED
    files: Files = field(default_factory=dict)
    lambda_: float | None = None
    tokens_seen: int | None = None
    data_position: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    repository: str | None = None
    commit: str | None = None
    reason: str | None = None

    @property
    def weights(self) -> dict[str, str]:
        """Name -> sha256 of its weights."""
        return weights_of(self.files)

    def manifest(self) -> Manifest:
        """What its series.json says."""
        return Manifest(
            step=self.step,
            revision=self.revision,
            files=self.files,
            lambda_=self.lambda_,
            tokens_seen=self.tokens_seen,
            data_position=self.data_position,
            metrics=self.metrics,
        )

    def to_json(self) -> dict[str, Any]:
        """The row as it is written."""
        row = {**self.__dict__, "state": self.state.value, "files": files_to_json(self.files)}
        row["metrics"] = dict(self.metrics)
        row["lambda"] = row.pop("lambda_")
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> StepRecord:
        """The reverse of `to_json`."""
        values = {**row, "state": State(row["state"]), "files": files_from_json(row["files"])}
        values["lambda_"] = values.pop("lambda")
        return cls(**values)


class Journal:
    """The rows of one run's series; safe to use from several threads and processes.

    Args:
        folder: the series' folder, which is made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL_FILE
        self._lock = threading.RLock()
        self._processes = FileLock(self.path.with_suffix(".lock"))

    def records(self) -> dict[int, StepRecord]:
        """The last row of every step, by step.

        Raises:
            SeriesError: a line other than a cut last one cannot be read.
        """
        with self._lock:
            text = self.path.read_bytes() if self.path.is_file() else b""
        whole = text[: text.rfind(b"\n") + 1]
        found = {}
        for number, line in enumerate(whole.splitlines(), start=1):
            record = self._read(line, number)
            found[record.step] = record
        return dict(sorted(found.items()))

    def _read(self, line: bytes, number: int) -> StepRecord:
        try:
            return StepRecord.from_json(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SeriesError(
                f"{self.path}:{number} is no row of a journal ({error!r}). Mend the line, or move "
                "the folder away: a series is staged anew from the checkpoints that are there."
            ) from None

    def get(self, step: int) -> StepRecord | None:
        """The last row of one step."""
        return self.records().get(step)

    def append(self, record: StepRecord) -> StepRecord:
        """Add a row, durably; a row that was cut before it is taken away first.

        Raises:
            SeriesError: it cannot be written, as on a full disk. What stands in the journal stays.
        """
        line = (json.dumps(record.to_json()) + "\n").encode()
        with self._lock:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self._processes:
                    self._append(line)
            except OSError as error:
                raise SeriesError(
                    f"could not write to {self.path}: {error}. Make room; `hf-grok push` then "
                    "stages what the journal lacks from the checkpoints that are still there."
                ) from error
        return record

    def update(self, step: int, **changes: Any) -> StepRecord:
        """Add a row that is the step's last one with some values changed."""
        with self._lock, self._processes:
            return self.append(replace(self.records()[step], **changes))

    def _append(self, line: bytes) -> None:
        fresh = not self.path.exists()
        with self.path.open("a+b", buffering=0) as file:
            end = _whole_length(self.path)
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


def _whole_length(path: Path) -> int:
    """Length of a file up to its last line end."""
    return path.read_bytes().rfind(b"\n") + 1


def sync_folder(folder: Path) -> None:
    """Put a folder's names on the disk; a no-op where the system has no such thing."""
    with suppress(PermissionError):  # Windows opens no folders
        sync(folder)
