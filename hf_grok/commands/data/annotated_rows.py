"""Rows with their annotation, written as a file of JSON lines or a folder with Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hf_grok.annotation.scheme import sidecar
from hf_grok.errors import UserError

Row = dict[str, Any]

PARQUET = "train-00000-of-00001.parquet"
CHUNK = 1000
STRING, STRINGS, NUMBERS, SPANS = "string", "strings", "numbers", "spans"
"""What a column holds."""


def is_file(out: Path) -> bool:
    """Whether `out` names a file of JSON lines; else it is a folder."""
    return out.suffix == ".jsonl"


def check_out(out: Path, overwrite: bool) -> None:
    """Refuse to lose what stands there, unless it was said so.

    Raises:
        UserError: something is there.
    """
    if not is_file(out) and out.is_file():
        raise UserError(f"{out} is a file: expected FILE.jsonl, or a folder for Parquet")
    if overwrite:
        return
    there = [out, sidecar(out)] if is_file(out) else list(out.glob("*"))
    if any(path.exists() for path in there):
        raise UserError(f"{out} is there already: give another name, or --overwrite to replace it")


def write_rows(out: Path, rows: Iterable[Row], columns: Mapping[str, str]) -> None:
    """Write rows as they come. Nothing stands at `out` before all of it is there.

    Args:
        out: ends in .jsonl for a file, else a folder.
        rows: with these columns.
        columns: name -> what it holds.
    """
    final = out if is_file(out) else out / PARQUET
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(f"{final.name}.part")
    try:
        if is_file(out):
            _write_jsonl(part, rows)
        else:
            _write_parquet(part, rows, columns)
        part.replace(final)
    finally:
        part.unlink(missing_ok=True)


def _write_jsonl(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _write_parquet(path: Path, rows: Iterable[Row], columns: Mapping[str, str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        STRING: pa.string(),
        STRINGS: pa.list_(pa.string()),
        NUMBERS: pa.list_(pa.int32()),
        SPANS: pa.list_(pa.list_(pa.int32())),
    }
    schema = pa.schema({name: types[kind] for name, kind in columns.items()})
    with pq.ParquetWriter(path, schema) as writer:
        chunk: list[Row] = []
        for row in rows:
            chunk.append(row)
            if len(chunk) == CHUNK:
                writer.write_table(pa.Table.from_pylist(chunk, schema))
                chunk = []
        writer.write_table(pa.Table.from_pylist(chunk, schema))
