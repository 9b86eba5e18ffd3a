"""`results.parquet`: the table of a sweep's curves as a file that says what sweep it is of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_grok.errors import UserError
from hf_grok.runs.folder import replace
from hf_grok.runs.sweep_file import SWEEP_FILE, read_sweep_file
from hf_grok.text.json_reading import parse_object

if TYPE_CHECKING:
    import pandas
    import pyarrow

RESULTS_TABLE = "results.parquet"
FORMAT = "1"
_FORMAT_KEY, _ABOUT_KEY = b"hf_grok.results", b"hf_grok.sweep"


def about_sweep(folder: Path) -> dict[str, Any]:
    """Recipe and arms of a sweep, in their order: what a report needs that no curve says.

    Returns:
        {"recipe": name, "arms": {name: {"from": arm or None, "step": int}}}; empty where no
        sweep.json lies there.

    Raises:
        UserError: it cannot be read.
    """
    if not (folder / SWEEP_FILE).is_file():
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
    return _content(path).to_pandas()


def read_about(path: Path) -> dict[str, Any]:
    """What `about_sweep` said when the table was written; empty of an earlier version's.

    Raises:
        UserError: as `read_table`.
    """
    text = (_content(path).schema.metadata or {}).get(_ABOUT_KEY, b"{}").decode()
    return parse_object(text, f"{path}: what it says of its sweep")


def _content(path: Path) -> pyarrow.Table:
    import pyarrow
    import pyarrow.parquet

    try:
        content = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise UserError(f"{path} is no Parquet file of results: {error}") from error
    found = (content.schema.metadata or {}).get(_FORMAT_KEY, b"none").decode()
    if found != FORMAT:
        raise UserError(
            f"{path} has results of format {found}: expected {FORMAT}; write it again with "
            "hf-grok sweep, or read its runs with load_runs"
        )
    return content
