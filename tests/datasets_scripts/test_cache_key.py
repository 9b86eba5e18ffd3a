"""The key of a data set's cache: every module of the grammars is in it, in whatever room."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from hf_grok.datasets_scripts.builder import cache_key

PACKAGE = Path(cache_key.__file__).resolve().parent.parent


def key_of(package: Path) -> str:
    """The digest that a copy of the package would read of itself, when it is imported."""
    spec = importlib.util.spec_from_file_location("key", package / "builder" / "cache_key.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module._PACKAGE)


@pytest.mark.parametrize(
    "changed",
    ["grammar/english.py", "english_agreement/lexicon.py", "dyck.py", "builder/splits.py"],
)
def test_a_change_anywhere_is_another_key(changed: str, tmp_path: Path) -> None:
    copy = tmp_path / "datasets_scripts"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = key_of(copy)
    assert before == cache_key._PACKAGE  # where the package lies does not matter
    file = copy / changed
    file.write_text(file.read_text() + "\n# another weight\n")
    assert key_of(copy) != before


def test_files_that_change_places_are_another_key(tmp_path: Path) -> None:
    copy = tmp_path / "datasets_scripts"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = key_of(copy)
    shutil.move(copy / "grammar" / "english.py", copy / "readers" / "english.py")
    assert key_of(copy) != before
