"""The wheel holds all of the project, under one name, and works away from the source tree."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
TOP_LEVEL = ("callbacks", "datasets_scripts", "model_cards")

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys, hf_grok
home = sys.argv[1]
def fail(name):
    raise
names = ["hf_grok"]
for module in pkgutil.walk_packages(hf_grok.__path__, "hf_grok.", onerror=fail):
    names.append(module.name)
for name in names:
    file = importlib.import_module(name).__file__
    if not file.startswith(home):
        sys.exit(f"{name} came from {file}, not from {home}")
print(*names)
"""


def installed_path(file: Path) -> str:
    """Where a file of the source tree lies in the wheel."""
    path = file.relative_to(ROOT).as_posix()
    return f"hf_grok/{path}" if path.startswith(TOP_LEVEL) else path


def source_files() -> list[Path]:
    """Every file of the package's folders, code and data."""
    return [
        file
        for folder in ("hf_grok", *TOP_LEVEL)
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith(".")
    ]


def module_name(file: Path) -> str:
    parts = Path(installed_path(file)).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy, so that no build folder is left in the source tree."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("hf_grok", *TOP_LEVEL):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(copy)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (file,) = (copy / "dist").glob("*.whl")
    return file


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel, and borrows what it depends on from this one."""
    home = tmp_path_factory.mktemp("elsewhere") / "environment"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*command, "--no-deps", "--no-index", str(wheel)], check=True)
    # A folder named in a .pth file is searched last, and .pth files inside it are not read: the
    # editable hf_grok of this environment stays out of sight.
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    missing = [str(file) for file in source_files() if installed_path(file) not in held]
    assert missing == []
    kinds = {Path(name).suffix for name in held if ".dist-info" not in name}
    assert {".py", ".yaml", ".jinja", ".css"} <= kinds
    assert "hf_grok/py.typed" in held


def test_the_wheel_installs_one_package_and_its_metadata_only(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        roots = {name.partition("/")[0] for name in archive.namelist()}
    assert {root for root in roots if not root.endswith(".dist-info")} == {"hf_grok"}


def test_pyproject_lists_every_folder_that_is_a_package() -> None:
    folders = {module_name(file) for file in source_files() if file.name == "__init__.py"}
    assert set(SETTINGS["packages"]) == folders
    assert len(SETTINGS["packages"]) == len(folders)


def test_no_code_lies_in_a_folder_that_is_no_package() -> None:
    strays = [
        str(file)
        for file in source_files()
        if file.suffix == ".py" and not (file.parent / "__init__.py").exists()
    ]
    assert strays == []


@pytest.mark.slow
def test_every_module_imports_from_the_installed_wheel(environment: Path, tmp_path: Path) -> None:
    (packages,) = environment.glob("lib/python*/site-packages")
    imported = subprocess.run(
        [environment / "bin" / "python", "-I", "-c", IMPORT_EVERYTHING, packages],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert imported.returncode == 0, imported.stderr
    expected = {module_name(file) for file in source_files() if file.suffix == ".py"}
    assert set(imported.stdout.split()) == expected


def test_the_installed_command_tells_its_version(environment: Path, tmp_path: Path) -> None:
    command = [environment / "bin" / "hf-grok", "--version"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("hf-grok 0.")
