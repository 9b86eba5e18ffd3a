"""The floors that pyproject.toml states are the versions that `make test-floors` installs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(name: str) -> dict[str, str]:
    """Package -> version, from lines `package==version ; marker  # comment`."""
    lines = (ROOT / name).read_text().splitlines()
    found = (re.match(r"([\w.-]+)==([\w.]+)", line) for line in lines)
    return {match[1].lower().replace("_", "-"): match[2] for match in found if match}


def floors() -> dict[str, str]:
    """Package -> lowest version, of what the project and its report need."""
    stated = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["report"]
    return dict(requirement.split(">=") for requirement in stated)


def test_the_floors_that_are_stated_are_those_that_are_tested() -> None:
    pinned = pins("constraints-floors.txt")
    for package, version in floors().items():
        exact = (pinned[package] + ".0.0").split(".")[:3]
        assert exact == (version + ".0.0").split(".")[:3], package


def test_every_floor_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    for package, version in floors().items():
        (line,) = [line for line in text.splitlines() if f'"{package}>={version}"' in line]
        assert "#" in line, package


def test_everything_that_is_needed_is_pinned() -> None:
    assert set(floors()) <= set(pins("constraints.txt"))
