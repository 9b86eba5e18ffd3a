"""The rows of a source as tables, few in memory at once, whatever files or data set they are in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hf_grok.annotation.hub_treebank import is_hub_treebank, row_of_words
from hf_grok.annotation.rows import TOKEN_COLUMNS
from hf_grok.datasets_scripts.readers.conllu import read_conllu
from hf_grok.errors import UserError
from hf_grok.runs.manifest import file_facts
from hf_grok.sources.files import LINES, PARQUET, TREES
from hf_grok.sources.source import Source
from hf_grok.text.files import read_lines
from hf_grok.text.json_reading import parse_object

ROWS = 10_000
"""Rows of a chunk."""
COLUMNS = ("words", "heads", "deprels", "document")


def identity(source: Source) -> dict[str, Any]:
    """What tells its rows from others': the sha256 of each file, or the data set's own mark."""
    if not source.files:
        return {"dataset": source.dataset._fingerprint, "first_head": source.first_head}
    numbering = {} if source.first_head is None else {"first_head": source.first_head}
    return {**{path.name: file_facts(path).sha256 for path in source.files}, **numbering}


def tables(source: Source, columns: Sequence[str] = COLUMNS) -> Iterator[tuple[str, pa.Table]]:
    """Name of the file (of the data set) and some rows of it, in order, few in memory at once.

    Args:
        source: files, or a data set on the Hub.
        columns: read where they are there.

    Raises:
        UserError: a file that cannot be read, or holds no row.
    """
    if not source.files:
        rows = source.dataset.with_format("arrow")
        present = [name for name in columns if name in rows.column_names]
        for table in rows.select_columns(present).iter(batch_size=ROWS):
            yield source.name, table
        return
    for path in source.files:
        rows = 0
        for read in _READERS[path.suffix](path, (*columns, *TOKEN_COLUMNS)):
            table = _with_words(read, f"{path.name}, row", rows)
            rows += table.num_rows
            yield path.name, table.select([one for one in columns if one in table.column_names])
        if not rows:
            raise UserError(f"{path} holds no row: leave it out, or make it anew")


def _with_words(table: pa.Table, where: str, first: int) -> pa.Table:
    """A treebank's tokens as its words, where it has no others."""
    if not is_hub_treebank(table.column_names):
        return table
    rows = enumerate(table.to_pylist(), start=first)
    return pa.Table.from_pylist([row_of_words(row, f"{where} {at}") for at, row in rows])


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
            "document": sentence.document,
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
