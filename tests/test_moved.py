"""Old names of modules: the same things, and a warning that says where they are."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from hf_grok._moved import MOVED, RENAMED, keep_old_names

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("old", MOVED)
def test_an_old_name_gives_what_is_under_the_new_one(
    old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = old.rpartition(".")[0]
    if room in MOVED:
        monkeypatch.setitem(sys.modules, room, import_module(MOVED[room]))
    monkeypatch.delitem(sys.modules, old, raising=False)
    new = import_module(MOVED[old])
    with pytest.warns(FutureWarning, match=f"{old} is now {MOVED[old]}") as warned:
        found = import_module(old)
    assert len(warned) == 1
    public = [name for name in vars(new) if not name.startswith("_")]
    assert all(getattr(found, name) is getattr(new, name) for name in public)
    for name, now in RENAMED.get(new.__name__, {}).items():
        assert getattr(found, name) is getattr(new, now)
        assert f"{name} is {now}" in str(warned[0].message)
        assert not hasattr(new, name)
    monkeypatch.delitem(sys.modules, old)


def test_a_module_in_a_room_that_moved_is_no_second_one(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "from hf_grok.behaviour import TokenLoss, behaviour_for\n"
        "from hf_grok.behaviour.dyck import DyckBehaviour\n"
        "from hf_grok.probes.tasks.dyck import DyckBehaviour as now\n"
        "assert DyckBehaviour is now\n"
    )
    told = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "hf_grok.behaviour.dyck is now hf_grok.probes.tasks.dyck" in told.stderr


def test_the_warning_names_the_line_that_imports(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "import sys\n"
        "from hf_grok.scheme import read_scheme\n"
        "import hf_grok.annotation.scheme as new\n"
        "assert read_scheme is new.read_scheme and new.__spec__.name == new.__name__\n"
        "from hf_grok.hiding import HIDDEN_SHARE, Masking\n"
        "print(HIDDEN_SHARE, Masking().share)\n"
    )
    told = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert told.stdout == "0.15 0.15\n"
    lines = [line for line in told.stderr.splitlines() if "FutureWarning" in line]
    assert [line.partition(": FutureWarning")[0] for line in lines] == [
        f"{script}:2",
        f"{script}:5",
    ]


def test_other_names_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    keep_old_names({"hf_grok.never": "hf_grok.nowhere"})
    assert find_spec("hf_grok.neither") is None
    with (
        pytest.warns(FutureWarning, match=r"hf_grok\.never is now hf_grok\.nowhere"),
        pytest.raises(ModuleNotFoundError, match=r"hf_grok\.nowhere"),
    ):
        import_module("hf_grok.never")


@pytest.mark.parametrize("room", ["", ".sas", ".probes", ".datasets_scripts", ".callbacks"])
@pytest.mark.filterwarnings("error::FutureWarning")
def test_no_public_name_goes_by_an_old_one(room: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for old in MOVED:  # what an earlier test imported by its old name would be found without a word
        monkeypatch.delitem(sys.modules, old, raising=False)
    face = import_module(f"hf_grok{room}")
    assert all(getattr(face, name) is not None for name in face.__all__)
