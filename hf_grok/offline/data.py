"""Data for probes that run after the fact: treebanks, minimal pairs, data sets, our languages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_grok.behaviour.rows import Rows
from hf_grok.errors import UserError
from hf_grok.training.language import LANGUAGES, with_words

MINIMAL_PAIRS = "minimal-pairs"


@dataclass(frozen=True)
class ProbeData:
    """Rows and where they came from.

    Attributes:
        rows: with the columns that probes read.
        description: source, split and number of rows, for the results' header.
        fingerprint: of the rows' content.
    """

    rows: Rows
    description: str
    fingerprint: str


def load_data(
    source: str,
    *,
    split: str = "test",
    where: Sequence[tuple[str, str]] = (),
    sample: int | None = None,
    seed: int = 0,
) -> ProbeData:
    """Rows from a source that a person names.

    Args:
        source: a .conllu file; a .jsonl file or a folder of them (minimal pairs as BLiMP
            distributes them, or rows with words, heads, deprels); a folder or Hub name that
            `datasets.load_dataset` reads; one of our languages, such as question-formation; or
            minimal-pairs, those of the agreement grammar.
        split: of a data set or language.
        where: (column, value) pairs that a row must have.
        sample: so many rows, drawn by `seed`; None takes all.
        seed: of the sample.

    Raises:
        UserError: nothing there, no such split or column, no row left.
    """
    rows, name = _read(source, split)
    for column, value in where:
        rows = _having(rows, column, value)
    if sample is not None:
        rows = _sampled(rows, sample, seed)
    if len(rows) == 0:
        raise UserError(f"{name}: no row is left to probe (conditions: {list(where) or 'none'})")
    return ProbeData(rows, f"{name}, {len(rows):,} rows", _fingerprint(rows))


def _read(source: str, split: str) -> tuple[Rows, str]:
    path = Path(source)
    if path.suffix in (".conllu", ".jsonl") and not path.exists():
        raise UserError(f"there is no file {source}")
    if path.suffix == ".conllu":
        from hf_grok.datasets_scripts import Treebank

        return Treebank(path), path.name
    if path.suffix == ".jsonl" or (path.is_dir() and any(path.glob("*.jsonl"))):
        from hf_grok.datasets_scripts import read_minimal_pairs

        if _holds_pairs(path):
            return read_minimal_pairs(path), path.name
        return _read_json_lines(path), path.name
    if source == MINIMAL_PAIRS:
        return _generate_pairs(), source
    if source in LANGUAGES:
        return _generate(source, split), f"{source} ({split})"
    return _load_dataset(source, split), f"{source} ({split})"


def _holds_pairs(path: Path) -> bool:
    file = path if path.is_file() else sorted(path.glob("*.jsonl"))[0]
    with file.open(encoding="utf-8") as lines:
        return "sentence_good" in next(lines, "")


def _read_json_lines(path: Path) -> list[dict[str, Any]]:
    rows = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise UserError(f"{path}:{number}: expected one JSON object ({error})") from None
    return rows


def _generate(language: str, split: str) -> Rows:
    from hf_grok import datasets_scripts

    builder = getattr(datasets_scripts, LANGUAGES[language])()
    builder.download_and_prepare()
    if split not in builder.info.splits:
        known = ", ".join(builder.info.splits)
        raise UserError(f"{language} has no split {split!r}: it has {known}")
    return with_words(builder.as_dataset(split=split))


def _generate_pairs() -> Rows:
    from hf_grok.datasets_scripts import MinimalPairs

    builder = MinimalPairs()
    builder.download_and_prepare()
    (split,) = builder.info.splits  # like files of pairs, they are all of one
    return builder.as_dataset(split=split)


def _load_dataset(source: str, split: str) -> Rows:
    import datasets

    try:
        return datasets.load_dataset(source, split=split)
    except (OSError, ValueError, ConnectionError) as error:
        names = (*LANGUAGES, MINIMAL_PAIRS)
        raise UserError(
            f"{source!r} is no .conllu or .jsonl file, none of {', '.join(names)}, and "
            f"datasets.load_dataset could not load its split {split!r}: {error}"
        ) from error


def _having(rows: Rows, column: str, value: str) -> Rows:
    names = getattr(rows, "column_names", None) or list(rows[0])
    if column not in names:
        raise UserError(f"--where {column}={value}: no column {column!r}; the columns are {names}")
    label = getattr(getattr(rows, "features", {}).get(column), "int2str", str)
    kept = [index for index, row in enumerate(rows) if str(label(row[column])) == value]
    return _select(rows, kept)


def _sampled(rows: Rows, count: int, seed: int) -> Rows:
    """`count` rows in the order of the data, drawn without replacement."""
    import numpy as np

    if count < 1:
        raise UserError(f"--sample {count}: expected at least 1 row")
    if count >= len(rows):
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), size=count, replace=False)
    return _select(rows, sorted(chosen.tolist()))


def _select(rows: Rows, indices: Iterable[int]) -> Rows:
    chosen = list(indices)
    return rows.select(chosen) if hasattr(rows, "select") else [rows[index] for index in chosen]


def _fingerprint(rows: Rows) -> str:
    digest = hashlib.sha256()
    for row in rows:
        plain: Mapping[str, Any] = dict(row)
        digest.update(json.dumps(plain, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]
