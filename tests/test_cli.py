"""The command line: help that teaches, mistakes answered by one message and status 2."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hf_grok import cli
from hf_grok.errors import UserError
from hf_grok.version import __version__


def help_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What `hf-grok WORDS --help` prints."""
    with pytest.raises(SystemExit) as left:
        cli.main([*words, "--help"])
    assert left.value.code == 0
    return capsys.readouterr().out


def test_help_lists_every_command_with_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(capsys)
    for name, summary in cli.COMMANDS.items():
        assert name in text
        assert summary in text


def test_help_begins_with_what_a_newcomer_wants(capsys: pytest.CaptureFixture[str]) -> None:
    lines = help_of(capsys).splitlines()
    named = [
        line.split()[0]
        for line in lines
        if line.startswith("  ") and line.split()[0] in cli.COMMANDS
    ]
    assert named == list(cli.COMMANDS)
    assert named[:3] == ["demo", "train", "report"]
    assert [line[:-1] for line in lines if line[:-1] in cli.GROUPS] == list(cli.GROUPS)


def test_every_command_has_a_module_and_every_module_is_a_command() -> None:
    folder = Path(cli.__file__).parent / "commands"
    modules = {file.stem for file in folder.glob("*.py") if "def main(" in file.read_text()}
    with_main = modules | {file.parent.name for file in folder.glob("*/command.py")}
    assert set(cli.COMMANDS) - {"train"} == with_main  # train's main is hf_grok.train's


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_of_a_command_shows_how_it_is_called(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = help_of(capsys, command)
    usage, examples = text.splitlines()[0], text.splitlines()[1:]
    assert usage.startswith(f"usage: hf-grok {command}")
    assert [line for line in examples if line.startswith(f"  hf-grok {command} ")], text
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.mark.parametrize("language", ["question-formation", "tense-inflection", "dyck"])
def test_help_of_a_language_lists_its_options(
    language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = help_of(capsys, "data", language)
    assert "--seed" in text
    assert "--train-size" in text


def test_version_is_the_package_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"hf-grok {__version__}\n"


@pytest.mark.parametrize("words", [[], ["no-such-command"], ["--no-such-option"]])
def test_a_wrong_command_is_refused_with_the_list_of_commands(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    assert left.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "hf-grok: error:" in printed.err


def test_an_unknown_command_is_told_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["tarin"])
    message = capsys.readouterr().err
    assert "tarin" in message
    for name in cli.COMMANDS:
        assert name in message


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["report", "no-such-folder"], "no-such-folder"),
        (["data", "klingon", "--out", "nowhere"], "question-formation"),
        (["train", "no-such-recipe"], "question-formation"),
        (["train", "question-formation", "--leyers", "4"], "layers?"),
    ],
)
def test_a_users_mistake_is_one_message_and_status_2(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"hf-grok {words[0]}: ")
    assert told in printed.err
    assert "Traceback" not in printed.err


@pytest.mark.parametrize("refusal", ["EACCES", "EROFS", "ENOSPC"])
def test_what_the_system_refuses_is_one_message_too(
    refusal: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    number = getattr(errno, refusal)

    def refused(arguments: list[str]) -> int:
        raise OSError(number, os.strerror(number), "/there/x.json")

    monkeypatch.setattr("hf_grok.commands.report.main", refused)
    assert cli.main(["report"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"hf-grok report: '/there/x.json': {os.strerror(number)}")
    assert "Traceback" not in told


def test_an_error_of_files_that_may_be_ours_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(arguments: list[str]) -> int:
        raise FileNotFoundError(errno.ENOENT, "No such file", "of ours")

    monkeypatch.setattr("hf_grok.commands.report.main", broken)
    with pytest.raises(FileNotFoundError):
        cli.main(["report"])


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(arguments: list[str]) -> int:
        raise ValueError("not the user's")

    monkeypatch.setattr("hf_grok.commands.report.main", broken)
    with pytest.raises(ValueError, match="not the user's"):
        cli.main(["report"])
    assert issubclass(UserError, ValueError)


def test_a_process_of_its_own_prints_no_traceback_and_exits_2(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "hf_grok.cli", "report", "no-such-folder"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert "no-such-folder" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_help_comes_without_loading_torch() -> None:
    code = """
import contextlib, io, sys
from hf_grok import cli
for words in ([], *([name] for name in cli.COMMANDS)):
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        cli.main([*words, "--help"])
    assert "torch" not in sys.modules, words
"""
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr


def test_a_reader_that_has_gone_is_no_traceback() -> None:
    """As `hf-grok probe --list | true`."""
    reading, writing = os.pipe()
    os.close(reading)
    words = [sys.executable, "-m", "hf_grok.cli", "probe", "--list"]
    done = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
