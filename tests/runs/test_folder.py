"""Files that last, also where a file system has other rules than that of Linux."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from hf_grok.errors import UserError
from hf_grok.runs import folder as run_files
from hf_grok.runs.json_lines import append_row, restore, rewind
from hf_grok.runs.manifest import flaw, write_manifest

ROOT = Path(__file__).resolve().parent.parent.parent
# Of the standard library, what Windows lacks.
POSIX_ONLY = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}


class WindowsLike:
    """os, with two rules of Windows: only what is open for writing is flushed, and no folder is."""

    def __init__(self) -> None:
        self.flushed: list[str] = []
        self._open: dict[int, tuple[str, int]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Path, flags: int) -> int:
        if path.is_dir():
            raise PermissionError(13, "Permission denied", str(path))
        handle = os.open(path, flags)
        self._open[handle] = (path.name, flags)
        return handle

    def fsync(self, handle: int) -> None:
        name, flags = self._open[handle]
        if not flags & (os.O_RDWR | os.O_WRONLY):
            raise OSError(9, "Bad file descriptor")
        self.flushed.append(name)


def test_a_checkpoint_is_put_on_the_disk_under_the_rules_of_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = WindowsLike()
    monkeypatch.setattr(run_files, "os", system)
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    write_manifest(tmp_path)
    assert flaw(tmp_path) is None
    assert system.flushed == ["model.safetensors", "manifest.json.tmp"]


@pytest.mark.skipif(sys.platform == "win32", reason="a read-only file cannot be flushed there")
def test_a_file_that_may_only_be_read_is_put_on_the_disk_too(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"weights")
    path.chmod(0o444)
    run_files.sync(path)
    run_files.sync(tmp_path)


@pytest.mark.parametrize("refusals", [0, 1, 3])
def test_a_file_that_somebody_reads_is_replaced_when_it_is_closed(
    tmp_path: Path, refusals: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses to replace what is open."""
    ordinary, left = Path.replace, [refusals]

    def refused(path: Path, target: Path) -> Path:
        if left[0]:
            left[0] -= 1
            raise PermissionError(5, "Access is denied", str(target))
        return ordinary(path, target)

    monkeypatch.setattr(Path, "replace", refused)
    monkeypatch.setattr(run_files, "_WAITS", (0.0, 0.0, 0.0))
    table = tmp_path / "metrics.jsonl"
    for step in (1, 2, 3):
        append_row(table, {"step": step})
    rewind(table, 2)
    assert table.read_text() == '{"step": 1}\n{"step": 2}\n'
    left[0] = 99
    with pytest.raises(PermissionError):
        rewind(table, 1)


def test_a_table_is_what_the_history_says(tmp_path: Path) -> None:
    """Its own lines stay as they are; rows that came twice, later or half are gone."""
    table = tmp_path / "metrics.jsonl"
    history = [{"a": 1.5, "step": 0}, {"b": float("nan"), "step": 4}, {"c": 2, "step": 4}]
    table.write_text(
        '{"step": 0,  "a": 1.5}\n{"b": NaN, "step": 4}\n{"c": 3, "step": 4}\n{"c": 2, "st'
    )
    restore(table, history)
    assert table.read_text() == (
        '{"step": 0,  "a": 1.5}\n{"b": NaN, "step": 4}\n{"c": 2, "step": 4}\n'
    )
    restore(table, [])
    assert table.read_text() == ""
    restore(tmp_path / "absent.jsonl", [])
    assert not (tmp_path / "absent.jsonl").exists()
    restore(tmp_path / "lost.jsonl", history[:1])
    assert (tmp_path / "lost.jsonl").read_text() == '{"a": 1.5, "step": 0}\n'


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with (
        run_files.taken(path, "the run is at work"),
        pytest.raises(UserError, match="the run is at work: wait for it or end it"),
        run_files.taken(path, "the run is at work"),
    ):
        pass
    with run_files.taken(path, "the run is at work"):
        pass


def test_nothing_of_the_package_needs_what_only_posix_has() -> None:
    folders = ("hf_grok", "callbacks", "datasets_scripts", "model_cards")
    found = [
        (file.relative_to(ROOT).as_posix(), name)
        for folder in folders
        for file in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in _needs(node)
    ]
    assert found == []


def _needs(node: ast.AST) -> list[str]:
    """Modules, functions of os, signals and options of a process that Windows does not have."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name in POSIX_ONLY]
    if isinstance(node, ast.ImportFrom):
        return [node.module] if node.module in POSIX_ONLY else []
    if isinstance(node, ast.keyword):
        return [node.arg] if node.arg in ("pass_fds", "preexec_fn") else []
    if isinstance(node, ast.Attribute):
        text = ast.unparse(node)
        lacking = ("os.fork", "os.killpg", "os.getuid", "os.mkfifo", "signal.SIGHUP")
        return [text] if text in (*lacking, "signal.SIGKILL", "signal.SIGALRM") else []
    return []


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    run_files.check_writable(tmp_path / "a" / "b", "or else")
    assert list(tmp_path.iterdir()) == []
    run_files.make_folder(tmp_path / "a" / "b", "or else")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write to .*file.b \(.+\): or else"):
        run_files.make_folder(tmp_path / "file" / "b", "or else")


def test_a_folder_that_is_there_and_may_only_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(run_files, "TemporaryFile", refused)
    with pytest.raises(UserError, match=r"\(Permission denied\): choose another"):
        run_files.make_folder(tmp_path, "choose another")


@pytest.mark.parametrize("may_write", [True, False])
def test_who_may_only_read_a_lock_sees_whether_it_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, may_write: bool
) -> None:
    lock = tmp_path / "a.lock"
    assert not run_files.is_held(lock)
    assert not lock.exists()
    with run_files.taken(lock, "at work"):
        if not may_write:
            monkeypatch.setattr(run_files.FileLock, "acquire", _refuse)
        assert run_files.is_held(lock)
    assert not run_files.is_held(lock)


def test_a_lock_that_nobody_can_ask_for_is_no_free_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "a.lock"
    lock.touch()

    def unheard_of(*_: Any, **__: Any) -> bool:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(run_files.FileLock, "acquire", _refuse)
    monkeypatch.setattr(run_files, "lock_descriptor", unheard_of)
    with pytest.raises(UserError, match="cannot tell whether"):
        run_files.is_held(lock)
    with (
        pytest.raises(UserError, match=r"cannot lock .*Permission denied"),
        run_files.taken(lock, "at work"),
    ):
        pass


def _refuse(*_: Any, **__: Any) -> Any:
    raise PermissionError(13, "Permission denied")
