"""The workflows name what is there: targets of make, tests, supported versions of Python."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def jobs(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
    return found


def commands(file: Path) -> str:
    return "\n".join(step.get("run", "") for job in jobs(file).values() for step in job["steps"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_a_workflow_runs_is_there(file: Path) -> None:
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M)
    text = commands(file)
    assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= set(targets)
    for path in re.findall(r"\b(?:tests|constraints)[\w/.-]*", text):
        assert (ROOT / path).exists(), path
    for name, job in jobs(file).items():
        assert job["timeout-minutes"] <= 45, name
        assert set(job.get("needs", "").split()) <= set(jobs(file)), name


def test_a_release_is_installed_on_every_python_that_is_supported() -> None:
    install = jobs(ROOT / ".github" / "workflows" / "release.yml")["install"]
    supported = [
        line.rpartition(" ")[2]
        for line in PROJECT["classifiers"]
        if line.startswith("Programming Language :: Python :: 3.")
    ]
    assert install["strategy"]["matrix"]["python"] == supported


def test_nothing_is_published_that_was_not_installed_and_no_token_is_kept() -> None:
    publish = jobs(ROOT / ".github" / "workflows" / "release.yml")["publish"]
    assert publish["needs"] == "install"
    assert publish["if"] == "startsWith(github.ref, 'refs/tags/')"
    assert publish["permissions"]["id-token"] == "write"
    assert not [file for file in FILES if "secrets." in file.read_text(encoding="utf-8")]


def test_every_extra_is_explained_once() -> None:
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([a-z]+)` \|", page, re.M)
    assert sorted(explained) == sorted(PROJECT["optional-dependencies"])
