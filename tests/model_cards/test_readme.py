"""From facts and an old README to the next one."""

from __future__ import annotations

import pytest

from hf_grok.errors import UserError
from hf_grok.model_cards import problems, series_readme, step_readme
from hf_grok.model_cards.preserved import BEGINS, ENDS, split_readme
from tests.model_cards.cards import full_card, plain_card, step


def test_a_persons_words_outlive_a_growing_series() -> None:
    page = series_readme(plain_card())
    page = page.replace(f"{BEGINS}\n", f"{BEGINS}\nSeed 3 is odd: see <b>below</b>.\n")
    page = page.replace("tags:\n", "thumbnail: https://a/b.png\ntags:\n- seeds\n")
    for last in (20, 30):
        page = series_readme(plain_card(steps=[step(0, eval_loss=4.0), step(last)]), page)
        assert f"{BEGINS}\nSeed 3 is odd: see <b>below</b>.\n{ENDS}" in page
        assert f"| {last} | `step{last}` |" in page
        metadata, _ = split_readme(page)
        assert metadata["thumbnail"] == "https://a/b.png"
        assert metadata["tags"][-1] == "seeds"
        assert problems(page) == []


def test_the_same_for_a_step() -> None:
    page = step_readme(full_card(), 100)
    page = page.replace(f"{BEGINS}\n", f"{BEGINS}\nLook here.\n")
    assert step_readme(full_card(), 100, page) == page


def test_a_licence_in_the_readme_is_taken_over() -> None:
    old = series_readme(plain_card()).replace("tags:\n", "license: cc-by-4.0\ntags:\n", 1)
    page = series_readme(plain_card(), old)
    assert split_readme(page)[0]["license"] == "cc-by-4.0"
    assert "## Licence\n\n`cc-by-4.0`" in page
    assert series_readme(plain_card(licence="cc-by-4.0"), old) == page
    with pytest.raises(UserError, match=r"'mit' here and 'cc-by-4.0' in the repository's README"):
        series_readme(plain_card(licence="mit"), old)


def test_what_the_hub_would_refuse_is_refused_here() -> None:
    with pytest.raises(UserError, match="the Hub knows no 'my own'"):
        series_readme(plain_card(licence="my own"))
    token = "hf_" + "A1b2C3d4" * 5
    with pytest.raises(UserError, match="a token stands in the text"):
        series_readme(plain_card(), f"# Mine\n\nmy token is {token}\n")
