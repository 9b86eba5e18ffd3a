"""Data for probes that run after the fact: treebanks, minimal pairs, data sets, our languages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hf_grok.annotation.hub_treebank import with_words_of_tokens
from hf_grok.annotation.relations import rows_in_ud
from hf_grok.annotation.rows import Rows
from hf_grok.datasets_scripts.readers.bad_lines import BadLines
from hf_grok.errors import UserError
from hf_grok.evaluation.choosing import having, sampled, short_enough, told_of_longer
from hf_grok.evaluation.reading import read_rows
from hf_grok.languages import known_languages, language
from hf_grok.sources.source import Source
from hf_grok.sources.words import read_source
from hf_grok.text.printable import printable


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
            ,config=..,split=..,revision=..,scheme=.. (`hf_grok.sources.words.read_source`),
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
    rows, name = read_rows(named, split, bad, run)
    rows = with_words_of_tokens(rows)
    name += f" without {bad.count:,} bad lines" if bad.count else ""
    _require_words(rows, name)
    scheme = _scheme_of(named)
    if named.relations:
        rows, name = rows_in_ud(rows, scheme), f"{name} with relations named as in UD"
    for column, value in where:
        rows = having(rows, column, value)
    told = printable(bad.told())
    if max_words is not None:
        rows, longer = short_enough(rows, max_words)
        name += f" of at most {max_words} words"
        told = "; ".join(filter(None, [told, told_of_longer(longer, max_words, source)]))
    if sample is not None:
        rows = sampled(rows, sample, seed)
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


def _fingerprint(rows: Rows) -> str:
    digest = hashlib.sha256()
    for row in rows:
        plain: Mapping[str, Any] = dict(row)
        digest.update(json.dumps(plain, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]
