"""Parsed rows as Parquet shards: each is whole or not there, so that a parse can be resumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.runs.folder import replace, sync, write_json
from hf_grok.sources.files import UNFINISHED_PARSE
from hf_grok.text.json_reading import read_object

Row = dict[str, Any]

LOCK = "parse.lock"
_ROWS_AT_ONCE = 1000
_WORDS, _LINES = b"hf_grok.words", b"hf_grok.lines"


@dataclass
class Counts:
    """What was parsed.

    Attributes:
        sentences: rows.
        words: as the parser cuts them.
        lines: of the texts, those with a sentence.
    """

    sentences: int = 0
    words: int = 0
    lines: int = 0

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, counted as they pass."""
        last = None
        for row in rows:
            place = (row["document"], row["line"])
            self.sentences += 1
            self.words += len(row["words"])
            self.lines += place != last
            last = place
            yield row

    def add(self, other: Counts) -> None:
        """Add those of another shard."""
        self.sentences += other.sentences
        self.words += other.words
        self.lines += other.lines


def shard_name(number: int, shards: int) -> str:
    """As the Hub names them: train-00000-of-00007.parquet."""
    return f"train-{number:05d}-of-{shards:05d}.parquet"


def begin(folder: Path, facts: Mapping[str, Any]) -> None:
    """Begin a parse into a folder, or go on with the same one.

    Args:
        folder: made where there is none.
        facts: all on which the rows depend.

    Raises:
        UserError: another parse was begun there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / UNFINISHED_PARSE
    if not path.exists():
        write_json(path, facts)
        return
    begun = read_object(path)
    other = [name for name in {**facts, **begun} if facts.get(name) != begun.get(name)]
    if other:
        told = "; ".join(f"{n}: {begun.get(n)!r} then, {facts.get(n)!r} now" for n in other)
        raise UserError(
            f"{folder} holds the beginning of another parse ({told}): give the same options to go "
            "on with it, another --out, or --overwrite to replace it"
        )


def write_shard(path: Path, rows: Iterable[Row]) -> Counts:
    """Write one shard as its rows come; nothing stands at `path` before all of it is there.

    Raises:
        UserError: there is no row.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    counts = Counts()
    schema = pa.schema(
        {
            "text": pa.string(),
            "words": pa.list_(pa.string()),
            "heads": pa.list_(pa.int32()),
            "deprels": pa.list_(pa.string()),
            "document": pa.string(),
            "line": pa.int64(),
        }
    )
    part = path.with_name(f"{path.name}.part")
    try:
        with pq.ParquetWriter(part, schema) as writer:
            for chunk in _chunks(counts.counted(rows)):
                writer.write_table(pa.Table.from_pylist(chunk, schema))
            if not counts.sentences:
                raise UserError(
                    f"the text of {path.name} holds no sentence: expected text, a sentence or a "
                    "paragraph a line"
                )
            writer.add_key_value_metadata(
                {_WORDS: str(counts.words), _LINES: str(counts.lines)},
            )
        sync(part)
        replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return counts


def shard_counts(path: Path) -> Counts:
    """The counts of a shard that `write_shard` wrote.

    Raises:
        UserError: it was written by something else, or cut short.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        facts = pq.read_metadata(path)
        own = facts.metadata or {}
        return Counts(facts.num_rows, int(own[_WORDS]), int(own[_LINES]))
    except (OSError, pa.ArrowInvalid, KeyError, ValueError) as error:
        raise UserError(
            f"{path} is no shard of hf-grok data parse: remove it, and it is made again; {error!r}"
        ) from error


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _ROWS_AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
