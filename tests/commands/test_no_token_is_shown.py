"""Whatever a server answers and whatever goes wrong, no command prints the token or keeps it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from hf_grok import cli
from hf_grok.errors import UserError
from hf_grok.text.credentials import MASK
from hf_grok.text.masked_output import masked_output
from tests.hub_server import Fault, HubServer
from tests.hub_server.fixtures import hub_server, hub_waits
from tests.series.material import REPO, save_checkpoint

__all__ = ["hub_server", "hub_waits"]

SECRET = "no-shape-that-anybody-knows"


@pytest.fixture(autouse=True)
def hook(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook for tracebacks is put back after each test."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


def words_of(command: str, folder: Path) -> list[str]:
    return {
        "push": ["push", str(folder), REPO],
        "verify": ["verify", REPO],
        "probe": ["probe", REPO, "--probes", "norm", "--out", str(folder / "results.json")],
        "data": ["data", "dyck", "--push", REPO, "--train-size", "9", "--test-size", "9"],
    }[command]


@pytest.mark.parametrize("status", [400, 403, 404, 422])
@pytest.mark.parametrize("command", ["push", "verify", "probe", "data"])
def test_a_server_that_repeats_the_token(
    tmp_path: Path,
    hub_server: HubServer,
    hub_waits: list[float],
    capfd: pytest.CaptureFixture[str],
    command: str,
    status: int,
) -> None:
    if command == "push":
        save_checkpoint(tmp_path / "run", 1)
    hub_server.faults.everywhere(0, {Fault.ECHOED_TOKEN: 1.0}, status=status)
    assert cli.main(words_of(command, tmp_path / "run")) in (1, 2)
    assert hub_server.faults.count(Fault.ECHOED_TOKEN) > 0
    printed = "".join(capfd.readouterr())
    assert str(status) in printed or "could not" in printed or "neither" in printed
    assert hub_server.write_token not in printed
    token = hub_server.write_token.encode()
    for path in (tmp_path / "run").rglob("*"):
        assert path.is_dir() or token not in path.read_bytes(), path


def print_it(_: Sequence[str]) -> int:
    print("out", SECRET)
    print("err", SECRET, file=sys.stderr)
    sys.stderr.writelines([f"lines {SECRET}\n"])
    handler = logging.StreamHandler()
    handler.emit(logging.LogRecord("x", logging.ERROR, "x", 1, f"log {SECRET}", None, None))
    return 0


def refuse(_: Sequence[str]) -> int:
    raise UserError(f"seen: {SECRET}")


@pytest.mark.parametrize("main", [print_it, refuse])
@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_goes_through_one_mask(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    main: Callable[[Sequence[str]], int],
) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    monkeypatch.setattr(cli.importlib, "import_module", lambda name: SimpleNamespace(main=main))
    cli.main([command])
    said = capsys.readouterr()
    assert SECRET not in said.out + said.err
    assert (said.out + said.err).count(MASK) == (4 if main is print_it else 1)


def test_a_traceback_shows_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    with pytest.raises(RuntimeError) as caught, masked_output():
        raise RuntimeError(f"Authorization: {SECRET}") from ValueError(f"and {SECRET}")
    sys.excepthook(caught.type, caught.value, caught.tb)
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.count(MASK) >= 2
    assert SECRET not in said


def test_the_rest_of_a_stream_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with masked_output():
        assert sys.stdout.write("abc") == 3
        assert sys.stdout.encoding.lower().replace("-", "") == "utf8"
        assert not sys.stdout.isatty()
    assert capsys.readouterr().out == "abc"
