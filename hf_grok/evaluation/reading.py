"""Rows of every kind of source: treebanks, brackets, JSON lines, Parquet, data sets, languages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hf_grok.annotation.rows import Rows, with_words
from hf_grok.datasets_scripts.readers.bad_lines import BadLines
from hf_grok.errors import UserError
from hf_grok.languages import known_languages, language, prepared
from hf_grok.runs.record import recorded
from hf_grok.sources.files import LINES, PARQUET, TREES, split_of
from hf_grok.sources.source import Source, load_split
from hf_grok.sources.words import read_source
from hf_grok.text.files import Line
from hf_grok.text.json_reading import parse_object, read_options
from hf_grok.text.printable import listed

BRACKETS = (".ptb", ".mrg")
"""Penn brackets: GUM's ending, and the Penn Treebank's."""
FILES = (TREES, *BRACKETS, LINES)


def has_splits(source: str) -> bool:
    """Whether a source is a data set or a language, of which there are several splits."""
    named = read_source(source)
    name = named.name.partition(":")[0]
    if name in known_languages():
        return not language(name).is_pairs
    kinds = (*FILES, PARQUET)
    return named.path.suffix not in kinds and not any(_files(named, suffix) for suffix in FILES)


def read_rows(source: Source, split: str, bad: BadLines, run: str | None) -> tuple[Rows, str]:
    """All rows of a source, and what it is called in the header of results.

    Args:
        source: what a person named.
        split: of a data set or language, where the source names none.
        bad: what becomes of lines that are wrong.
        run: a run's folder: its language is generated as the run had it.

    Raises:
        UserError: nothing there, no such split, or what is there cannot be read.
    """
    path = source.path
    if path.suffix in (*FILES, PARQUET) and not (path.exists() or source.is_pattern):
        raise UserError(f"there is no file {source.name}")
    readers = {TREES: _read_trees, **dict.fromkeys(BRACKETS, _read_brackets), LINES: _read_lines}
    for suffix, read in readers.items():
        if files := _files(source, suffix):
            source.refuse_options("of files", "revision")
            return read(_of_split(files, source), bad), path.name
    name, colon, config = source.name.partition(":")
    if name in known_languages():
        source.refuse_options("a language of this package", "revision")
        if colon and source.config:
            raise UserError(
                f"data {source.name!r} and config={source.config}: expected one of them"
            )
        return _generate(name, config or source.config or "", source.split or split, run)
    source.require_whole()
    if files := _files(source, PARQUET):
        return _read_parquet(files, source), path.name
    if source.is_pattern:
        raise UserError(f"there is no {', '.join((*FILES, PARQUET))} file {source.name}")
    chosen = source.split or split
    return _load_dataset(source, chosen), source.told(chosen)


def _files(source: Source, suffix: str) -> list[Path]:
    """The file, those in the folder, or those that the name fits as a pattern; of this ending."""
    path = source.path
    if path.is_file():
        return [path] if path.suffix == suffix else []
    if path.is_dir():
        # `datasets` reads folders of Parquet, with what they say of their columns and splits.
        return [] if suffix == PARQUET else sorted(path.glob(f"*{suffix}"))
    found = source.matching()
    other = [one for one in found if one.suffix != suffix]
    if other and len(other) < len(found):
        raise UserError(f"{source.name} fits {found[0]} and {other[0]}: expected files of one kind")
    return found if not other else []


def _of_split(files: Sequence[Path], source: Source) -> Sequence[Path]:
    """Those of the split that the source names; all if it names none.

    Raises:
        UserError: no file's name says that it is of this split.
    """
    if source.split is None:
        return files
    chosen = [path for path in files if split_of(path) == source.split]
    if not chosen:
        raise UserError(
            f"data {source.name!r}: split={source.split} was said, and no name of its files is "
            f"that split's ({listed(path.name for path in files)}): name the file instead"
        )
    return chosen


def _read_parquet(files: Sequence[Path], source: Source) -> Rows:
    import datasets

    source.refuse_options("of files", "config", "revision")
    chosen = [str(path) for path in _of_split(files, source)]
    try:
        return datasets.Dataset.from_parquet(chosen)
    except (OSError, ValueError, datasets.exceptions.DatasetGenerationError) as error:
        raise UserError(f"{source.name} cannot be read as Parquet: {error}") from error


def _read_trees(files: Sequence[Path], bad: BadLines) -> Rows:
    """The sentences of CoNLL-U files; the library `datasets` reads such files too, otherwise."""
    from hf_grok.datasets_scripts.treebank import read_treebank

    return [row for file in files for row in read_treebank(file, bad)]


def _read_brackets(files: Sequence[Path], bad: BadLines) -> Rows:
    """The sentences of files of Penn brackets, with their gold spans."""
    from hf_grok.datasets_scripts.constituency import read_constituents

    return [row for file in files for row in read_constituents(file, bad)]


def _read_lines(files: Sequence[Path], bad: BadLines) -> Rows:
    """Rows of JSON lines: minimal pairs where the first row is one, anything else otherwise."""
    from hf_grok.datasets_scripts import read_minimal_pairs
    from hf_grok.datasets_scripts.readers.minimal_pairs import good_rows

    def row(line: Line) -> dict[str, Any]:
        return parse_object(line.text, line.place)

    first: dict[str, Any] = next(good_rows(files, row, BadLines(skip=True)), {})
    if "sentence_good" in first:
        return read_minimal_pairs(files, bad=bad)
    return list(good_rows(files, row, bad))


def _generate(name: str, config: str, split: str, run: str | None) -> tuple[Rows, str]:
    """A split of a language: of a configuration that is named, else as a run had it."""
    if language(name).is_pairs:
        builder = language(name).builder_class()()
        builder.download_and_prepare()
        (split,) = builder.info.splits  # like files of pairs, they are all of one
        return builder.as_dataset(split=split), name
    chosen = {"language_config": config} if config else _as_in(run, name)
    options = read_options("language_options", chosen.get("language_options"))
    builder = prepared(name, chosen.get("language_config"), options)
    if split not in builder.info.splits:
        known = ", ".join(builder.info.splits)
        raise UserError(f"{name} has no split {split!r}: it has {known}")
    told = ", ".join([split, *(str(value) for value in chosen.values() if value)])
    return with_words(builder.as_dataset(split=split)), f"{name} ({told})"


def _as_in(run: str | None, name: str) -> dict[str, Any]:
    """Configuration and options of the language, as the record of a run of it has them."""
    for folder in (Path(run), Path(run).parent) if run is not None else ():
        arguments = (recorded(folder) or {}).get("arguments")
        if isinstance(arguments, dict) and arguments.get("language") == name:
            names = ("language_config", "language_options")
            return {key: arguments[key] for key in names if key in arguments}
    return {}


def _load_dataset(source: Source, split: str) -> Rows:
    """A split of a folder or of a data set on the Hub; `config` may be a folder in the folder."""
    folder = Path(source.name)
    if not folder.is_dir():
        kinds = ", ".join((*FILES, PARQUET))
        isnt = f"is no {kinds} file, none of {', '.join(known_languages())}, and "
        return load_split(source, split, isnt)
    source.refuse_options("a folder", "revision")
    if source.config and source.path.is_dir() and not (folder / "README.md").is_file():
        return load_split(Source(str(source.path)), split)
    return load_split(source, split)
