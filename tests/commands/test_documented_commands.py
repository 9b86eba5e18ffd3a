"""Every command that the documentation shows can be given: no option, recipe or model is amiss."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterable
from pathlib import Path

import pytest

from hf_grok.errors import UserError
from hf_grok.models.tokenizer import word_level_tokenizer
from hf_grok.recipes.build import build_config
from hf_grok.recipes.checks import check_settings
from hf_grok.recipes.recipe import load_recipe, parse
from hf_grok.train import build_parser

ROOT = Path(__file__).resolve().parent.parent.parent
# Its commands take its package: tests/test_your_language.py.
APART = ROOT / "docs" / "your_language.md"
PAGES = [ROOT / "README.md", *sorted({*(ROOT / "docs").rglob("*.md")} - {APART})]


def shown(pages: Iterable[Path]) -> list[tuple[str, str]]:
    """(page, words after "hf-grok") of every line of a block of shell commands."""
    found = []
    for page in pages:
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
            for line in block.replace("\\\n", " ").splitlines():
                for command in re.findall(r"\bhf-grok ([a-z][^;#|]*)", line):
                    words = re.sub(r"\$\{?\w+\}?", "1", command.partition(" > ")[0]).strip()
                    found.append((page.relative_to(ROOT).as_posix(), words))
    return found


COMMANDS = sorted(set(shown(PAGES)))


@pytest.mark.parametrize(("page", "command"), [c for c in COMMANDS if c[1].startswith("train ")])
def test_training_as_it_is_shown(page: str, command: str) -> None:
    chosen, overrides = build_parser().parse_known_args(shlex.split(command)[1:])
    recipe = load_recipe(chosen.recipe, chosen.scale)
    try:
        settings = parse(recipe, overrides)
        check_settings(settings)
    except UserError as error:
        if "which is not installed" in str(error):  # an extra that the tests do without
            pytest.skip(str(error))
        raise
    build_config(settings.model, word_level_tokenizer(["a"]))


@pytest.mark.parametrize(
    ("page", "command"), [c for c in COMMANDS if not c[1].startswith(("train ", "data "))]
)
def test_other_commands_as_they_are_shown(page: str, command: str) -> None:
    name, *words = shlex.split(command)
    parser = importlib.import_module(f"hf_grok.commands.{name}").build_parser()
    parser.parse_args(words)


def test_there_are_such_commands_and_a_wrong_one_is_found() -> None:
    assert len(COMMANDS) > 20
    with pytest.raises(UserError):
        test_training_as_it_is_shown("", "train dyck --model gpt2 --intermediate_size 3")
