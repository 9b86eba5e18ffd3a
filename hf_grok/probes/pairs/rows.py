"""Minimal pairs from rows of any source, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hf_grok.annotation.rows import Rows, column
from hf_grok.errors import UserError

SENTENCES = ("sentence_good", "sentence_bad")
PARADIGM, PHENOMENON, NUMBER = "UID", "linguistics_term", "pairID"

# What a paradigm cannot be called, since another number is.
RESERVED_NAMES, RESERVED_PREFIX = ("accuracy", "ties"), "phenomenon_"


@dataclass(frozen=True)
class PairRows:
    """Minimal pairs and the paradigms they belong to.

    Attributes:
        columns: name -> one value a pair: sentence_good, sentence_bad, UID, and linguistics_term
            and pairID where there are.
        phenomena: paradigm -> its phenomenon, None where unknown; in the order of the rows.
    """

    columns: dict[str, list[Any]]
    phenomena: dict[str, str | None]

    def __len__(self) -> int:
        return len(self.columns[PARADIGM])

    @property
    def good(self) -> list[str]:
        """The grammatical sentence of each pair."""
        return self.columns[SENTENCES[0]]

    @property
    def bad(self) -> list[str]:
        """The ungrammatical sentence of each pair."""
        return self.columns[SENTENCES[1]]

    @property
    def paradigm_numbers(self) -> list[int]:
        """Of each pair, the place of its paradigm in `phenomena`."""
        places = {paradigm: place for place, paradigm in enumerate(self.phenomena)}
        return [places[paradigm] for paradigm in self.columns[PARADIGM]]

    @property
    def names(self) -> list[str]:
        """By which an error names each pair."""
        return [_name(row, self.columns) for row in range(len(self))]


def pair_rows(rows: Rows) -> PairRows:
    """Rows with columns sentence_good, sentence_bad and UID, as minimal pairs.

    Raises:
        UserError: no row, a missing column, a sentence that is no text, a paradigm of two
            phenomena, or one with the name of another number.
    """
    present = getattr(rows, "column_names", None)
    if present is None:
        present = next(iter(rows), {})
    optional = [name for name in (PHENOMENON, NUMBER) if name in present]
    columns = {name: column(rows, name) for name in (*SENTENCES, PARADIGM, *optional)}
    if not columns[PARADIGM]:
        raise UserError("there are no minimal pairs: expected at least one row")
    _check_sentences(columns)
    phenomena = _phenomena(columns)
    for paradigm in phenomena:
        _check_name(paradigm)
    return PairRows(columns, phenomena)


def _name(row: int, columns: dict[str, list[Any]]) -> str:
    number = f", pairID {columns[NUMBER][row]}" if NUMBER in columns else ""
    return f"pair {row} ({columns[PARADIGM][row]}{number})"


def _check_sentences(columns: dict[str, list[Any]]) -> None:
    for name in SENTENCES:
        for row, sentence in enumerate(columns[name]):
            if not isinstance(sentence, str) or not sentence.strip():
                raise UserError(
                    f"{_name(row, columns)}: {name} is {sentence!r}: expected a sentence"
                )


def _phenomena(columns: dict[str, list[Any]]) -> dict[str, str | None]:
    paradigms = columns[PARADIGM]
    terms: Sequence[str | None] = columns.get(PHENOMENON, [None] * len(paradigms))
    phenomena: dict[str, str | None] = {}
    for row, (paradigm, term) in enumerate(zip(paradigms, terms, strict=True)):
        if phenomena.setdefault(paradigm, term) != term:
            raise UserError(
                f"row {row}: {PHENOMENON} {term!r} of paradigm {paradigm!r}, which was of "
                f"{phenomena[paradigm]!r} before: expected one phenomenon a paradigm"
            )
    return phenomena


def _check_name(paradigm: str) -> None:
    if paradigm in RESERVED_NAMES or paradigm.startswith(RESERVED_PREFIX):
        raise UserError(
            f"a paradigm is called {paradigm!r}, as another number is: expected a UID other than "
            f"{', '.join(RESERVED_NAMES)} that does not start with {RESERVED_PREFIX!r}"
        )
