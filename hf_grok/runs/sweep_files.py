"""The files of a sweep's folder: sweep.json, checked before anybody goes by it; results.parquet."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_grok.errors import UserError
from hf_grok.runs.folder import replace
from hf_grok.text.json_reading import parse_object, read_object
from hf_grok.text.printable import quoted

if TYPE_CHECKING:
    import pandas
    import pyarrow

SWEEP_FILE = "sweep.json"
RESULTS_TABLE = "results.parquet"
FORMAT = "1"
_FORMAT_KEY, _ABOUT_KEY = b"hf_grok.results", b"hf_grok.sweep"


def read_sweep_file(path: Path) -> dict[str, Any]:
    """{"name", "recipe", "scale", "seeds": [0, 1], "arms": {name: {"settings", "from", ...}}}.

    Raises:
        UserError: it cannot be read, or has another shape; names the part.
    """
    content = read_object(path)
    for key in ("name", "recipe"):
        if not isinstance(content.get(key), str):
            raise _wrong(path, key, "text", content.get(key))
    seeds = content.get("seeds")
    if not isinstance(seeds, list) or not all(type(seed) is int for seed in seeds):
        raise _wrong(path, "seeds", "a list of whole numbers", seeds)
    arms = content.get("arms")
    if not isinstance(arms, dict):
        raise _wrong(path, "arms", "an object", arms)
    for name, arm in arms.items():
        _check_arm(path, f"arms[{quoted(name)}]", arm)
    return content


def is_sweep(folder: str | os.PathLike[str]) -> bool:
    """Whether `hf-grok sweep` wrote the folder."""
    return (Path(folder) / SWEEP_FILE).is_file()


def is_table(place: Path) -> bool:
    """Whether a place is named as a table of results is."""
    return place.suffix == Path(RESULTS_TABLE).suffix


def run_folder(out: Path, arm: str, seed: int) -> Path:
    """OUT/ARM-seedS, where the run of an arm at a seed lies."""
    return out / f"{arm}-seed{seed}"


def _check_arm(path: Path, place: str, arm: Any) -> None:
    if not isinstance(arm, dict):
        raise _wrong(path, place, "an object", arm)
    kinds: Mapping[str, Any] = {"settings": dict, "from": (str, type(None)), "step": int}
    for key, kind in kinds.items():
        if key not in arm or not isinstance(arm[key], kind):
            raise _wrong(path, f"{place}.{key}", "what hf-grok sweep writes", arm.get(key))


def _wrong(path: Path, place: str, expected: str, seen: Any) -> UserError:
    return UserError(f"{path}: {place} is {quoted(seen)}: expected {expected}")


def about_sweep(folder: Path) -> dict[str, Any]:
    """Recipe and arms of a sweep, in their order: what a report needs that no curve says.

    Returns:
        {"recipe": name, "arms": {name: {"from": arm or None, "step": int}}}; empty where no
        sweep.json lies there.

    Raises:
        UserError: it cannot be read.
    """
    if not is_sweep(folder):
        return {}
    content = read_sweep_file(folder / SWEEP_FILE)
    arms = {
        name: {key: arm[key] for key in ("from", "step")} for name, arm in content["arms"].items()
    }
    return {"recipe": content["recipe"], "arms": arms}


def write_table(table: pandas.DataFrame, path: Path, about: Mapping[str, Any]) -> None:
    """Replace the file as a whole: a kill leaves the table of before."""
    import pyarrow
    import pyarrow.parquet

    content = pyarrow.Table.from_pandas(table, preserve_index=False)
    own = {_FORMAT_KEY: FORMAT.encode(), _ABOUT_KEY: json.dumps(about).encode()}
    content = content.replace_schema_metadata({**(content.schema.metadata or {}), **own})
    temporary = path.with_name(f".{path.name}")
    pyarrow.parquet.write_table(content, temporary, compression="zstd")
    replace(temporary, path)


def read_table(path: Path) -> pandas.DataFrame:
    """The rows.

    Raises:
        UserError: it is no Parquet file, or none of this version of results.
    """
    import pyarrow.parquet

    content = _read(path, pyarrow.parquet.read_table)
    _require_format(content.schema, path)
    return content.to_pandas()


def read_about(path: Path) -> dict[str, Any]:
    """What `about_sweep` said when the table was written; empty of an earlier version's.

    Raises:
        UserError: as `read_table`.
    """
    import pyarrow.parquet

    schema = _read(path, pyarrow.parquet.read_schema)
    _require_format(schema, path)
    text = (schema.metadata or {}).get(_ABOUT_KEY, b"{}").decode()
    return parse_object(text, f"{path}: what it says of its sweep")


def _read(path: Path, reader: Callable[[Path], Any]) -> Any:
    import pyarrow

    try:
        return reader(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise UserError(f"{path} is no Parquet file of results: {error}") from error


def _require_format(schema: pyarrow.Schema, path: Path) -> None:
    found = (schema.metadata or {}).get(_FORMAT_KEY, b"none").decode()
    if found != FORMAT:
        raise UserError(
            f"{path} has results of format {found}: expected {FORMAT}; write it again with "
            "hf-grok sweep, or read its runs with load_runs"
        )
