"""Words of a command line mean what they say, in every command."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from hf_grok._option_parser import OptionParser

ROOT = Path(__file__).resolve().parent.parent


def parser() -> OptionParser:
    made = OptionParser(prog="example")
    made.add_argument("--wait-seconds", type=int)
    made.add_argument("--seeds", type=int, nargs="+")
    made.add_argument("--data", action="append")
    made.add_argument("--dry-run", action="store_true")
    return made


@pytest.mark.parametrize(
    "words",
    [["--wait-seconds", "3"], ["--wait_seconds", "3"], ["--wait_seconds=3"], ["--wait-seconds=3"]],
)
def test_hyphens_and_underscores_are_the_same(words: list[str]) -> None:
    assert parser().parse_args(words).wait_seconds == 3


@pytest.mark.parametrize("words", [["--wait", "3"], ["--seed", "3"], ["--dry"], ["--wait=3"]])
def test_nothing_is_abbreviated(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(words)
    assert "unrecognized arguments" in capsys.readouterr().err


@pytest.mark.parametrize("again", ["--wait-seconds=4", "--wait_seconds=4"])
def test_one_value_is_given_once(again: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--wait-seconds", "3", again])
    assert "--wait-seconds is given twice" in capsys.readouterr().err
    assert parser().parse_args(["--data", "a", "--data", "b"]).data == ["a", "b"]


def test_every_command_reads_its_options_so() -> None:
    """argparse's own parser abbreviates; only the name of the command itself is read by it.

    The one of completion is looked at and reads nothing.
    """
    plain = [
        file.relative_to(ROOT).as_posix()
        for file in sorted((ROOT / "hf_grok").rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "argparse.ArgumentParser"
    ]
    assert plain == ["hf_grok/cli.py", "hf_grok/commands/completion.py"]
