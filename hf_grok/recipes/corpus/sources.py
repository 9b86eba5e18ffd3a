"""Which parsed sentences are read: files, folders, patterns and data sets of the Hub, by words."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hf_grok.annotation.scheme import check_scheme, read_scheme, sidecar
from hf_grok.datasets_scripts.readers.conllu import read_conllu
from hf_grok.errors import UserError, unknown_name
from hf_grok.runs.manifest import file_facts
from hf_grok.text.files import read_lines
from hf_grok.text.json_reading import parse_object

PARQUET, LINES, TREES = SUFFIXES = (".parquet", ".jsonl", ".conllu")
KEYS = ("config", "split", "revision", "weight", "scheme")
ROWS = 10_000
"""Rows of a chunk."""
COLUMNS = ("words", "heads", "deprels", "document")
UNFINISHED = "parse.json"
_KEY = re.compile(rf",({'|'.join(KEYS)})=")
_OF_A_SPLIT = re.compile(r"(?P<split>[A-Za-z_]+)(-\d{5}-of-\d{5})?")
_SPLITS = ("train", "validation", "test", "dev", "generalization")
_HUB = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True)
class Source:
    """One word of `--data`: NAME[,config=..][,split=..][,revision=..][,weight=..][,scheme=..].

    Attributes:
        name: a Parquet, JSON lines or CoNLL-U file, a folder or a pattern of them, or a data set's
            id on the Hub.
        config: of a data set that has several; of a folder, the folder in it.
        split: which one is read, of a data set or a folder that has several.
        revision: of a data set on the Hub.
        weight: how often its rows are read in an epoch; 1.5 reads half of them twice.
        scheme: annotation scheme of its heads, where annotation.json does not say.
    """

    name: str
    config: str | None = None
    split: str = "train"
    revision: str | None = None
    weight: float = 1.0
    scheme: str | None = None

    @cached_property
    def files(self) -> list[Path]:
        """The files to read, by name; empty for a data set of the Hub.

        Raises:
            UserError: there are none, or a parse into the folder has not ended.
        """
        path = Path(self.name) / (self.config or "")
        if (path / UNFINISHED).is_file():
            raise UserError(
                f"{path} is the beginning of a parse: finish it with the command of hf-grok data "
                "parse that began it"
            )
        if path.is_dir():
            return _of_split(path, self.split)
        if path.is_file() and path.suffix in SUFFIXES:
            return [path]
        found = [Path(one) for one in sorted(glob.glob(self.name, recursive=True))]
        if found:
            wrong = [one for one in found if one.suffix not in SUFFIXES]
            if wrong:
                raise UserError(f"{wrong[0]}: expected {', '.join(SUFFIXES)} files")
            return found
        if not _HUB.fullmatch(self.name) or path.suffix in SUFFIXES:
            raise UserError(
                f"there is no file or folder {self.name!r}, it fits none as a pattern, and it is "
                "no data set's id on the Hub (USER/NAME)"
            )
        return []

    def annotation_scheme(self) -> str | None:
        """As it was said, or as annotation.json beside the data says; None where nothing does.

        Raises:
            UserError: two files of it say two.
        """
        if self.scheme is not None:
            return self.scheme
        homes = [Path(self.name), *self.files]
        known = {home: read_scheme(home) for home in homes if sidecar(home).is_file()}
        return one_scheme({str(home): scheme for home, scheme in known.items()})

    @cached_property
    def dataset(self) -> Any:
        """The data set on the Hub, memory-mapped.

        Raises:
            UserError: it cannot be loaded.
        """
        import datasets

        try:
            return datasets.load_dataset(
                self.name, self.config, split=self.split, revision=self.revision
            )
        except (OSError, ValueError, ConnectionError) as error:
            raise UserError(
                f"{self.name!r} is no file or folder here, and datasets.load_dataset could not "
                f"load its split {self.split!r}: {error}"
            ) from error

    def identity(self) -> dict[str, Any]:
        """What tells its rows from others': the sha256 of each file, or the data set's own mark."""
        if not self.files:
            return {"dataset": self.dataset._fingerprint}
        return {path.name: file_facts(path).sha256 for path in self.files}

    def tables(self, columns: Sequence[str] = COLUMNS) -> Iterator[tuple[str, pa.Table]]:
        """Name of the file (of the data set) and some rows of it, in order, few in memory at once.

        Args:
            columns: read where they are there.

        Raises:
            UserError: a file that cannot be read, or holds no row.
        """
        if not self.files:
            rows = self.dataset.with_format("arrow")
            present = [name for name in columns if name in rows.column_names]
            for table in rows.select_columns(present).iter(batch_size=ROWS):
                yield self.name, table
            return
        for path in self.files:
            empty = True
            for table in _READERS[path.suffix](path, columns):
                empty = empty and not table.num_rows
                yield path.name, table
            if empty:
                raise UserError(f"{path} holds no row: leave it out, or make it anew")


def read_source(word: str) -> Source:
    """The source that a word of `--data` names.

    Raises:
        UserError: a key twice, a weight that is no positive number, a scheme that is no name.
    """
    name, *rest = _KEY.split(word)
    keys, values = rest[::2], rest[1::2]
    if not name or len(set(keys)) < len(keys) or "" in values:
        raise UserError(
            f"data {word!r}: expected NAME, and after it each of {_keys()} once at most"
        )
    if "," in name and not Path(name).exists():
        said = name.partition(",")[2].partition("=")[0]
        if name.partition(",")[2].count("="):
            raise unknown_name(f"key in data {word!r}", said, KEYS)
    options: dict[str, Any] = dict(zip(keys, values, strict=True))
    if "weight" in options:
        options["weight"] = _weight(options["weight"], word)
    if "scheme" in options:
        check_scheme(options["scheme"])
    return Source(name, **options)


def one_scheme(schemes: dict[str, str | None]) -> str | None:
    """The scheme that all name.

    Raises:
        UserError: they name several; says which names which.
    """
    if len(set(schemes.values())) > 1:
        told = ", ".join(f"{name}: {scheme or 'not recorded'}" for name, scheme in schemes.items())
        raise UserError(
            f"heads of several annotation schemes cannot be trained on together ({told}): choose "
            "corpora of one, parse them alike, or say ,scheme=NAME where it is not recorded"
        )
    return next(iter(schemes.values()), None)


def _keys() -> str:
    return ", ".join(f"{key}=" for key in KEYS)


def _weight(text: str, word: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not 0 < weight <= 1000:
        raise UserError(f"data {word!r}: weight {text!r}: expected a number above 0, such as 2")
    return weight


def _of_split(folder: Path, split: str) -> list[Path]:
    """The files of a folder; those of the split where names say which they are of."""
    found = sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)
    if not found:
        raise UserError(f"{folder} holds no {', '.join(SUFFIXES)} file")
    splits = {path: _split_of(path) for path in found}
    if not any(splits.values()):
        return found
    chosen = [path for path, own in splits.items() if own == split]
    if not chosen:
        has = ", ".join(sorted({own for own in splits.values() if own}))
        raise UserError(f"{folder} has no split {split!r}: it has {has}")
    return chosen


def _split_of(path: Path) -> str | None:
    matched = _OF_A_SPLIT.fullmatch(path.stem)
    return matched["split"] if matched and matched["split"] in _SPLITS else None


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    try:
        with pq.ParquetFile(path) as file:
            present = [name for name in columns if name in file.schema_arrow.names]
            for batch in file.iter_batches(batch_size=ROWS, columns=present):
                yield pa.Table.from_batches([batch])
    except (OSError, pa.ArrowInvalid) as error:
        raise UserError(f"{path} cannot be read as Parquet: {error}") from error


def _lines(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    rows = (parse_object(line.text, line.place) for line in read_lines(path) if line.text.strip())
    yield from _tables(({name: row[name] for name in columns if name in row} for row in rows), path)


def _trees(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    rows = (
        {
            "words": [word.form for word in sentence.words],
            "heads": [word.head for word in sentence.words],
            "deprels": [word.deprel for word in sentence.words],
        }
        for sentence in read_conllu(path)
    )
    yield from _tables(({name: row[name] for name in columns if name in row} for row in rows), path)


def _tables(rows: Iterator[dict[str, Any]], path: Path) -> Iterator[pa.Table]:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == ROWS:
            yield _table(chunk, path)
            chunk = []
    if chunk:
        yield _table(chunk, path)


def _table(rows: list[dict[str, Any]], path: Path) -> pa.Table:
    try:
        return pa.Table.from_pylist(rows)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UserError(f"{path}: rows of different kinds: {error}") from error


_READERS = {PARQUET: _parquet, LINES: _lines, TREES: _trees}
