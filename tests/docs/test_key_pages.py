"""The pages of docs/keys say what the code declares: no key is missing, none is left over."""

from __future__ import annotations

import re
import sys
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest
from transformers import TrainingArguments

from hf_grok.metrics.lookup import OURS
from hf_grok.recipes.recipe import argument_names
from hf_grok.sweep.arms import BRANCH_KEYS
from hf_grok.sweep.plan import KEYS

ROOT = Path(__file__).resolve().parents[2]

sys.path.insert(0, str(ROOT / "docs" / "site"))
key_pages = import_module("key_pages")
sys.path.remove(str(ROOT / "docs" / "site"))


def keys_of(page: str) -> list[str]:
    """What stands in the first column of the page's tables."""
    text = (key_pages.FOLDER / page).read_text(encoding="utf-8")
    return re.findall(r"^\| `([^`]+)` \|", text, flags=re.M)


@pytest.mark.parametrize("page", key_pages.PAGES)
def test_a_page_is_what_the_code_makes_of_it(page: str) -> None:
    written = (key_pages.FOLDER / page).read_text(encoding="utf-8")
    assert written == key_pages.PAGES[page](), "write it anew: python docs/site/key_pages.py"


def test_every_number_of_the_registry_is_there_once() -> None:
    assert keys_of("metrics.md") == [*key_pages.BESIDE, *(f"eval_{name}" for name in OURS)]


def test_every_key_of_a_recipe_that_transformers_does_not_have_is_there_once() -> None:
    theirs = {item.name for item in fields(TrainingArguments)}
    keys = keys_of("recipe.md")
    assert len(keys) == len(set(keys))
    assert set(keys) - theirs == set(argument_names()) - theirs
    assert {"max_steps", "logging_steps", "remove_unused_columns"} <= set(keys)


def test_every_key_of_a_sweep_is_there_once() -> None:
    assert keys_of("sweep.md") == [*KEYS, *BRANCH_KEYS]
