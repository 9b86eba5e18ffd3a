"""The folder that an export goes to: nothing of anybody else's is lost in it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.model_cards import MARKER
from hf_grok.model_cards.preserved import split_readme
from hf_grok.text.files import read_text

_SHOWN = 3


def check_folder(folder: Path, overwrite: bool) -> None:
    """Refuse a folder that holds anything but an earlier export.

    Args:
        folder: may be missing.
        overwrite: accept other files beside the export.

    Raises:
        UserError: names what was found and the way out.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: expected a folder to write to")
    foreign = sorted(_files(folder) - exported_files(folder))
    if foreign and not overwrite:
        shown = ", ".join(foreign[:_SHOWN]) + (", ..." if len(foreign) > _SHOWN else "")
        raise UserError(
            f"{folder} holds files that are no export of hf-grok ({shown}): give an empty or new "
            "folder, or --overwrite to write beside them, replacing files of the same names"
        )


def exported_files(folder: Path) -> set[str]:
    """The files of an earlier export, by its README; empty where there is none."""
    readme = folder / "README.md"
    metadata = _read_metadata(readme) if readme.is_file() else None
    if metadata is None or MARKER not in (metadata.get("tags") or ()):
        return set()
    # Only what stands in the folder: a path out of it must never be followed.
    return {"README.md", *(_listed_files(metadata) & _files(folder))}


def replace_files(source: Path, folder: Path, files: Sequence[str]) -> None:
    """Remove the earlier export in `folder` and move `files` there, in order.

    Args:
        source: where the new files stand, on the same file system.
        folder: made if it is missing.
        files: relative paths.
    """
    for old in exported_files(folder) - set(files):
        path = folder / old
        path.unlink()
        if path.parent != folder and not any(path.parent.iterdir()):
            path.parent.rmdir()
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        os.replace(source / file, folder / file)


def _read_metadata(readme: Path) -> dict[str, Any] | None:
    try:
        return split_readme(read_text(readme))[0]
    except UserError:
        return None


def _listed_files(metadata: Mapping[str, Any]) -> set[str]:
    try:
        return {item["path"] for config in metadata["configs"] for item in config["data_files"]}
    except (KeyError, TypeError):  # edited by hand into something that was not written here
        return set()


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
