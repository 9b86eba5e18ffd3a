"""Data for probes that run after the fact: treebanks, minimal pairs, data sets, our languages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_grok.annotation.relations import rows_in_ud
from hf_grok.annotation.rows import Rows, with_words
from hf_grok.datasets_scripts.readers.bad_lines import BadLines
from hf_grok.errors import UserError
from hf_grok.evaluation.sources import (
    LINES,
    PARQUET,
    TREES,
    Source,
    load_split,
    read_source,
    split_of,
)
from hf_grok.languages import known_languages, language, prepared
from hf_grok.runs.record import recorded
from hf_grok.text.files import Line
from hf_grok.text.json_reading import parse_object, read_options
from hf_grok.text.printable import listed, printable

BRACKETS = (".ptb", ".mrg")
"""Penn brackets: GUM's ending, and the Penn Treebank's."""
FILES = (TREES, *BRACKETS, LINES)


@dataclass(frozen=True)
class ProbeData:
    """Rows and where they came from.

    Attributes:
        rows: with the columns that probes read.
        description: source, split and number of rows, for the results' header.
        fingerprint: of the rows' content.
        left_out: what was passed over as `skip_bad_lines` and `max_words` ask; empty where nothing
            was.
        scheme: annotation scheme of the heads; None where nothing says.
    """

    rows: Rows
    description: str
    fingerprint: str
    left_out: str = ""
    scheme: str | None = None


def load_data(
    source: str,
    *,
    split: str = "test",
    where: Sequence[tuple[str, str]] = (),
    max_words: int | None = None,
    sample: int | None = None,
    seed: int = 0,
    skip_bad_lines: bool = False,
    run: str | None = None,
) -> ProbeData:
    """Rows from a source that a person names.

    Args:
        source: a .conllu, .ptb or .mrg (Penn brackets) or .jsonl file (minimal pairs as BLiMP
            distributes them, or rows with words, heads, deprels), a folder or a pattern of them; a
            .parquet file or a pattern of them; a folder (such as hf-grok data parse writes) or Hub
            name that `datasets.load_dataset` reads; or a language that `hf-grok data` lists, such
            as question-formation or minimal-pairs. Behind it, as in a recipe's --data,
            ,config=..,split=..,revision=..,scheme=.. (`hf_grok.evaluation.sources.read_source`),
            and ,relations=ud: relations of ClearNLP's scheme under UD's names.
        split: of a data set or language whose source names none.
        where: (column, value) pairs that a row must have.
        max_words: leave out rows of more words (of a minimal pair: in either sentence), before the
            sample is drawn. How many stands in `left_out`.
        sample: so many rows, drawn by `seed`; None takes all.
        seed: of the sample.
        skip_bad_lines: of a file: leave out lines (of a treebank: sentences) that are wrong,
            instead of ending at the first. How many stands in the description.
        run: a run's folder, or a checkpoint in one: its language is generated as the run had it.

    Raises:
        UserError: nothing there, no such split or column, no row left.
    """
    bad, named = BadLines(skip_bad_lines), read_source(source)
    rows, name = _read(named, split, bad, run)
    name += f" without {bad.count:,} bad lines" if bad.count else ""
    _require_words(rows, name)
    scheme = _scheme_of(named)
    if named.relations:
        rows, name = rows_in_ud(rows, scheme), f"{name} with relations named as in UD"
    for column, value in where:
        rows = _having(rows, column, value)
    told = printable(bad.told())
    if max_words is not None:
        rows, longer = _short_enough(rows, max_words)
        name += f" of at most {max_words} words"
        told = "; ".join(filter(None, [told, _told_of(longer, max_words, source)]))
    if sample is not None:
        rows = _sampled(rows, sample, seed)
    if len(rows) == 0:
        raise UserError(f"{name}: no row is left to probe (conditions: {list(where) or 'none'})")
    description = f"{name}, {len(rows):,} rows"
    return ProbeData(rows, description, _fingerprint(rows), told, scheme)


def _require_words(rows: Rows, name: str) -> None:
    """Rows of input_ids do not say which tokenizer cut them, and a model's own cuts words.

    Raises:
        UserError: they are such rows.
    """
    columns = set(rows[0]) if len(rows) else set()
    if {"input_ids", "relns"} <= columns and "words" not in columns:
        raise UserError(
            f"{name} has input_ids, and nothing says which tokenizer they are of: probes read "
            "words, heads and deprels, which the model's own tokenizer cuts"
        )


def _scheme_of(source: Source) -> str | None:
    """As was said, as it stands beside a file or folder, or as one of our languages says."""
    own = source.annotation_scheme()
    name = source.name.partition(":")[0]
    return own or (language(name).scheme or None if name in known_languages() else None)


def has_splits(source: str) -> bool:
    """Whether a source is a data set or a language, of which there are several splits."""
    named = read_source(source)
    name = named.name.partition(":")[0]
    if name in known_languages():
        return not language(name).is_pairs
    kinds = (*FILES, PARQUET)
    return named.path.suffix not in kinds and not any(_files(named, suffix) for suffix in FILES)


def _read(source: Source, split: str, bad: BadLines, run: str | None) -> tuple[Rows, str]:
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
    told = ", ".join([split, *(f"{value}" for value in chosen.values())])
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


def _having(rows: Rows, column: str, value: str) -> Rows:
    names = getattr(rows, "column_names", None) or list(rows[0])
    if column not in names:
        raise UserError(
            f"--where {column}={value}: no column {column!r}; the columns are {listed(names)}"
        )
    label = getattr(getattr(rows, "features", {}).get(column), "int2str", str)
    kept = [index for index, row in enumerate(rows) if str(label(row[column])) == value]
    return _select(rows, kept)


def _short_enough(rows: Rows, most: int) -> tuple[Rows, int]:
    """Rows of at most so many words, and how many were longer."""
    if most < 1:
        raise UserError(f"--max-words {most}: expected at least 1 word")
    kept = [index for index, row in enumerate(rows) if _words_of(row) <= most]
    return _select(rows, kept), len(rows) - len(kept)


def _words_of(row: Mapping[str, Any]) -> int:
    """Words of the longest sentence of a row."""
    sentences = [row[name] for name in ("sentence_good", "sentence_bad") if name in row]
    sentences = sentences or [row[name] for name in ("words", "text") if name in row][:1]
    if not sentences:
        raise UserError(
            f"--max-words: a row has the columns {listed(row)}: expected words, text, or "
            "sentence_good and sentence_bad to count words in"
        )
    return max(len(one.split() if isinstance(one, str) else one) for one in sentences)


def _told_of(longer: int, most: int, source: str) -> str:
    if not longer:
        return ""
    rows = "1 row" if longer == 1 else f"{longer:,} rows"
    return f"{source}: {rows} of more than {most} words left out (--max-words {most})"


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
