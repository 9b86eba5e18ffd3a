"""The package of `docs/your_language.md`, written to a folder and installed from there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "your_language.md"
# A path on a line of its own, and the block below it.
FILE = re.compile(r"^`([\w./-]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def files_of_the_page() -> dict[str, str]:
    return dict(FILE.findall(PAGE.read_text(encoding="utf-8")))


def write_package(folder: Path) -> Path:
    for name, text in files_of_the_page().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def install(package: Path, target: Path) -> Path:
    """As pip does it, into a folder for sys.path; nothing is fetched."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    command += ["--no-build-isolation", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, "--target", str(target), str(package)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def announce(folder: Path, package: str, entries: dict[str, str], version: str = "1.0") -> Path:
    """What an installed package says of itself: its name and its languages, without the code."""
    about = folder / f"{package}-{version}.dist-info"
    about.mkdir(parents=True)
    about.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
    )
    lines = [f"{name} = {value}" for name, value in entries.items()]
    about.joinpath("entry_points.txt").write_text("\n".join(["[hf_grok.languages]", *lines, ""]))
    return about
