"""What strangers wrote, as it is printed: nothing that moves a cursor, nothing long."""

from __future__ import annotations

import unicodedata

import pytest

from hf_grok.errors import UserError, unknown_name
from hf_grok.text.printable import MESSAGE_LENGTH, listed, printable, quoted, shortened

EVIL = [
    chr(code) for code in (*range(32), *range(127, 160), 0x202E, 0x2066, 0x200F, 0xD800, 0xE0041)
]


def controls_in(text: str) -> list[str]:
    """The slow way: every character whose category is one of controls, formats or breaks."""
    wrong = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return [one for one in text if unicodedata.category(one) in wrong and one not in "\u200c\u200d"]


@pytest.mark.parametrize("character", EVIL)
def test_a_character_that_is_none_is_written_out(character: str) -> None:
    for told in (printable(f"a{character}b"), quoted(f"a{character}b"), listed([character])):
        assert controls_in(told) == []
    assert controls_in(str(UserError(f"branch {character} is gone"))) == []


@pytest.mark.parametrize(
    "text",
    ["Grüße, 日本語", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "क्\u200dष", "naïve 👍"],
)
def test_words_of_any_language_stay_as_they_are(text: str) -> None:
    assert printable(text) == text


def test_long_text_keeps_its_beginning_and_its_end() -> None:
    told = str(UserError(f"lines.tsv:7: expected{' x' * 9_000} and then a tab"))
    assert len(told) <= MESSAGE_LENGTH
    assert told.startswith("lines.tsv:7: expected")
    assert told.endswith("and then a tab")
    for length in range(0, 60):
        assert len(shortened("y" * 50, length)) <= length


def test_a_list_in_a_message_keeps_its_lines_and_no_other_break() -> None:
    assert str(UserError("two problems:\n- one\n- two")) == "two problems:\n- one\n- two"
    assert str(UserError("a name\nof two lines")) == "a name\\nof two lines"


def test_a_value_is_short_however_large_deep_or_long_it_is() -> None:
    nested: list[object] = []
    for _ in range(5_000):
        nested = [nested]
    for value in (10**5_000, -(10**5_000), nested, {"a" * 9_000: [1] * 9_000}, "\x1b[2J" * 99):
        assert len(quoted(value)) <= 80
        assert controls_in(quoted(value)) == []


def test_of_many_names_the_first_are_listed_and_the_nearest_is_named() -> None:
    names = [f"column_{number}" for number in range(2_000)]
    told = str(unknown_name("column", "colum_1999", names))
    assert len(told) <= MESSAGE_LENGTH
    assert "more." in told
    assert "Did you mean 'column_1999'?" in told
    assert listed(["a", "b"]) == "a, b"
