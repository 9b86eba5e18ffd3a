"""The script completes what the parsers know, as a shell runs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from hf_grok.cli import COMMANDS, main
from hf_grok.commands import completion
from hf_grok.languages import OURS
from hf_grok.recipes.recipe import argument_names, shipped_recipes
from hf_grok.sweep.plan import shipped_sweeps

pytest.importorskip("shtab", reason="the extra completion is not installed")
BASH = shutil.which("bash")


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "hf-grok"
    path.write_text(completion.script("bash"), encoding="utf-8")
    return path


def completed(script: Path, lines: Sequence[Sequence[str]]) -> list[set[str]]:
    """What bash offers for the last word of each line."""
    tries = "\n".join(
        f"COMP_WORDS=({' '.join(repr(word) for word in ['hf-grok', *words])}); "
        f'COMP_CWORD={len(words)}; COMPREPLY=(); _shtab_hf_grok; echo "${{COMPREPLY[*]}}"'
        for words in lines
    )
    done = subprocess.run(
        [str(BASH), "-c", f"source {script}\n{tries}"], capture_output=True, text=True, check=True
    )
    return [set(line.split()) for line in done.stdout.splitlines()]


@pytest.mark.skipif(BASH is None, reason="no bash is installed")
def test_bash_offers_commands_recipes_sweeps_languages_and_options(script: Path) -> None:
    commands, recipes, sweeps, languages, options, values = completed(
        script,
        [
            [""],
            ["train", ""],
            ["sweep", ""],
            ["data", ""],
            ["report", "--"],
            ["train", "dyck", "--"],
        ],
    )
    assert commands == set(COMMANDS)
    assert recipes == set(shipped_recipes())
    assert sweeps == set(shipped_sweeps())
    assert languages == {*OURS, "parse"}
    assert {"--out", "--help"} <= options
    assert {f"--{name}" for name in argument_names()} <= values


@pytest.mark.parametrize("shell", [one for one in completion.SHELLS if one != "bash"])
def test_other_shells_have_every_command(shell: str) -> None:
    text = completion.script(shell)
    assert all(name in text for name in COMMANDS)


def test_without_its_package_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert 'pip install "hf-grok[completion]"' in capsys.readouterr().err
