"""The site: every page has its place, every link leads somewhere, every public name is explained.

`make docs` builds it and looks at every link and anchor; here is what needs no build.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SETTINGS = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
# Of which mkdocs gets the pages from docs/site/hooks.py.
MADE = {"index.md", "contributing.md", "changelog.md", "reference/index.md"} | {
    path.relative_to(DOCS).with_suffix(".md").as_posix() for path in DOCS.glob("tutorials/*.ipynb")
}

sys.path.insert(0, str(DOCS / "site"))
public_names = import_module("public_names")
sys.path.remove(str(DOCS / "site"))

NAMES = [(room, name) for room in public_names.ROOMS for name in public_names.names_of(room)]


def pages_of(navigation: Any) -> Iterator[str]:
    """Every page that the navigation names."""
    if isinstance(navigation, str):
        yield navigation
    else:
        values = navigation.values() if isinstance(navigation, dict) else navigation
        for one in values:
            yield from pages_of(one)


def test_every_page_has_one_place_in_the_navigation() -> None:
    listed = list(pages_of(SETTINGS["nav"]))
    written = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert set(listed) == written | MADE
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *DOCS.rglob("*.md")], ids=lambda p: p.name)
def test_links_in_the_repository_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text):
        if not re.match(r"\w+:", target):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_room_that_has_public_names_is_in_the_reference() -> None:
    listed = set(public_names.ROOMS) | public_names.PARTS
    assert public_names.rooms_with_names() <= listed
    assert all(public_names.file_of(room).is_file() for room in listed)


def test_parts_of_a_room_have_no_names_but_those_of_the_room_around() -> None:
    command_line = {part for part in public_names.PARTS if part.startswith("hf_grok.commands.")}
    for part in public_names.PARTS - command_line:
        around = set(public_names.names_of(part.rpartition(".")[0]))
        assert set(public_names.names_of(part)) <= around, part


@pytest.mark.parametrize(("room", "name"), NAMES, ids=lambda value: value)
def test_a_public_name_is_there_and_says_what_it_is(room: str, name: str) -> None:
    found = getattr(import_module(room), name)
    if inspect.isclass(found) or inspect.isroutine(found):
        assert (found.__doc__ or "").strip(), f"{room}.{name} has no docstring"


def test_nothing_of_the_site_is_fetched() -> None:
    assert SETTINGS["theme"]["font"] is False
    for file in [*SETTINGS["extra_css"], *SETTINGS.get("extra_javascript", [])]:
        text = (DOCS / file).read_text(encoding="utf-8")
        assert not re.search(r"https?://|@import", text), file
