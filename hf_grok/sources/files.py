"""Files that rows are read from: their kinds, and the split that their names say."""

from __future__ import annotations

import re
from pathlib import Path

from hf_grok.errors import UserError

PARQUET, LINES, TREES = SUFFIXES = (".parquet", ".jsonl", ".conllu")
UNFINISHED_PARSE = "parse.json"
"""In a folder, the facts of a parse that has not ended; gone once it has."""
_OF_A_SPLIT = re.compile(r"(?P<split>[A-Za-z_]+)(-\d{5}-of-\d{5})?")
_SPLITS = ("train", "validation", "test", "dev", "generalization")


def of_split(folder: Path, split: str) -> list[Path]:
    """The files of a folder; those of the split where names say which they are of.

    Raises:
        UserError: there is none.
    """
    found = inside(folder)
    if not found:
        raise UserError(f"{folder} holds no {', '.join(SUFFIXES)} file")
    splits = {path: split_of(path) for path in found}
    if not any(splits.values()):
        return found
    chosen = [path for path, own in splits.items() if own == split]
    if not chosen:
        has = ", ".join(sorted({own for own in splits.values() if own}))
        raise UserError(f"{folder} has no split {split!r}: it has {has}")
    return chosen


def split_of(path: Path) -> str | None:
    """The split that a file's name says, as test.parquet and test-00000-of-00002.parquet do."""
    matched = _OF_A_SPLIT.fullmatch(path.stem)
    return matched["split"] if matched and matched["split"] in _SPLITS else None


def inside(folder: Path) -> list[Path]:
    """Every file in a folder and the folders in it that rows are read from, by name."""
    return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)


def is_unfinished(folder: Path) -> bool:
    """Whether a parse into this folder was begun and has not ended."""
    return (folder / UNFINISHED_PARSE).is_file()
