"""docs/map.md names every room there is, and none that is not."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAP = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
TOP = ("callbacks", "datasets_scripts", "model_cards")
# Folders in which files lie that are no code.
DATA = {"hf_grok/sweeps"}
MOST_MODULES = 17


def rooms() -> set[str]:
    inner = {f"hf_grok/{file.parent.name}" for file in ROOT.glob("hf_grok/*/__init__.py")}
    return (inner | set(TOP)) - DATA


def test_the_map_has_a_line_for_every_room_and_no_other() -> None:
    lines = re.findall(r"^\| `([\w/]+)/` \|", MAP, re.M)
    assert set(lines) == rooms()
    assert len(lines) == len(set(lines))


def test_every_path_on_the_map_is_there() -> None:
    for path in re.findall(r"`((?:[\w]+/)+(?:\w+\.py)?)`", MAP):
        places = [ROOT / path, ROOT / "hf_grok" / path]
        inner = [*ROOT.glob(f"hf_grok/*/{path}"), *ROOT.glob(f"datasets_scripts/{path}")]
        assert inner or any(place.exists() for place in places), path


def test_a_room_fits_one_glance() -> None:
    for room in [
        *ROOT.glob("hf_grok/**/__init__.py"),
        *(ROOT / top / "__init__.py" for top in TOP),
    ]:
        modules = list(room.parent.glob("*.py"))
        assert len(modules) <= MOST_MODULES, (room.parent, len(modules))
