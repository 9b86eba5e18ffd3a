"""Digests of what data is made from, so that a cache can be keyed by its content."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from hf_grok.datasets_scripts.builder.splits import SPLITS
from hf_grok.errors import UserError, unknown_name

_HERE = Path(__file__).resolve().parent.parent  # the whole package: grammars lie in its rooms


def _name(file: Path) -> str:
    return (file.relative_to(_HERE) if file.is_relative_to(_HERE) else Path(file.name)).as_posix()


def digest(files: Sequence[Path]) -> str:
    """Digest of the names and the contents of files, in the order given."""
    total = hashlib.sha256()
    for file in files:
        total.update(f"{_name(file)}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()[:16]


# Read with the import, when the files are what runs; an edit later in the process is not.
_PACKAGE = digest(sorted(_HERE.rglob("*.py")))


def source_digest(builder: type, base: type) -> str:
    """Digest of the code behind a builder: this package, and those of all that it inherits from.

    Of a class in another package every module in that package's folder counts, so that a lexicon
    beside the builder does too; of one in a module without a package, that module.

    Args:
        builder: the class; its name counts, so two builders of one module never share a cache.
        base: where the search through its ancestors ends.

    Raises:
        UserError: the class was not read from a file, so that changes to it could not be seen.
    """
    ancestors = [ancestor for ancestor in builder.__mro__ if issubclass(ancestor, base)]
    own = digest(sorted({file for ancestor in ancestors for file in _source_files(ancestor)}))
    return hashlib.sha256(f"{builder.__qualname__}\0{own}{_PACKAGE}".encode()).hexdigest()[:16]


def _source_files(builder: type) -> list[Path]:
    module = sys.modules.get(builder.__module__)
    file = getattr(module, "__file__", None)
    if file is None:
        raise UserError(
            f"{builder.__qualname__} is not defined in a file: its cached data could not follow "
            "changes to it; put the class into a module"
        )
    path = Path(file).resolve()
    in_folder = getattr(module, "__package__", None) and not path.is_relative_to(_HERE)
    return sorted(path.parent.rglob("*.py")) if in_folder else [path]


def listed_files(data_files: object) -> dict[str, list[str]]:
    """Split -> absolute paths of its files, from a mapping of splits to one path or several.

    Raises:
        UserError: no mapping, an unknown split, or a file that is not there.
    """
    if not isinstance(data_files, Mapping) or not data_files:
        raise UserError(
            'data_files must map splits to files, as in {"train": "train.tsv"}; '
            f"got {data_files!r}"
        )
    return {split: _paths(split, data_files[split]) for split in data_files}


def _paths(split: str, given: str | os.PathLike[str] | Sequence[str]) -> list[str]:
    if split not in SPLITS:
        raise unknown_name("split in data_files", str(split), SPLITS)
    paths = [given] if isinstance(given, (str, os.PathLike)) else list(given)
    if not paths:
        raise UserError(f"data_files[{split!r}] is empty: name a file or leave the split out")
    for path in paths:
        if not Path(path).is_file():
            raise UserError(f"data_files[{split!r}]: there is no file {os.fspath(path)!r}")
    return [os.path.abspath(path) for path in paths]
