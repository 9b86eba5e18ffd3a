"""Curves of many runs as one long table: a row a (run, step, metric), and `results.parquet` of it.

Metrics are named as they were logged: `eval_*` are of evaluations, the others (`loss`, `grad_norm`,
`sas_penalty`, ...) of training steps.

Columns: sweep, run, arm, seed, one for each setting of a sweep's grid, step, tokens (that the run
had read; NaN where it does not say), metric, value, hf_grok (the version that measured it).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_grok._optional import import_optional
from hf_grok.errors import UserError
from hf_grok.runs.folder import RUN_FILE
from hf_grok.runs.read import Run, load_run
from hf_grok.runs.record import recorded
from hf_grok.runs.sweep_files import (
    RESULTS_TABLE,
    SWEEP_FILE,
    about_sweep,
    is_sweep,
    read_sweep_file,
    read_table,
    run_folder,
    write_table,
)

if TYPE_CHECKING:
    import pandas

_TOKENS = "eval_tokens_seen"
_FIRST = ("sweep", "run", "arm", "seed")
_LAST = ("step", "tokens", "metric", "value", "hf_grok")


def load_runs(folders: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Any:
    """Every number of these runs and of the finished runs of these sweeps, as one DataFrame.

    Args:
        folders: of runs or of sweeps; one or several.

    Raises:
        UserError: a folder is neither; two runs of one name, which could not be told apart.
    """
    tables = [table for folder in _several(folders) for table in _tables(folder)]
    return _joined(tables)


def load_results(folders: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Any:
    """The `results.parquet` of these sweeps as one DataFrame, without their runs' folders.

    Raises:
        UserError: there is no such table, or it is of another version of this package.
    """
    return _joined([read_table(table_file(folder)) for folder in _several(folders)])


def table_of(
    run: Run, sweep: str = "", arm: str = "", cell: Mapping[str, Any] | None = None
) -> pandas.DataFrame:
    """What a run measured at its evaluations, and then what it logged while it trained, as rows.

    Args:
        run: any.
        sweep: that it is of; "" for none.
        arm: of the sweep.
        cell: grid column -> value.
    """
    cell = cell or {}
    tokens = run.evaluations.get(_TOKENS)
    long = _pandas().concat([_long(run.evaluations), _long(run.training)], ignore_index=True)
    long["tokens"] = float("nan") if tokens is None else long["step"].map(tokens)
    version = str(run.info.get("versions", {}).get("hf_grok", ""))
    about = {
        "sweep": sweep,
        "run": run.name,
        "arm": arm,
        "seed": run.seed,
        **cell,
        "hf_grok": version,
    }
    return long.assign(**about)[[*_FIRST, *cell, *_LAST]]


def _long(wide: pandas.DataFrame) -> pandas.DataFrame:
    long = wide.rename_axis(columns="metric").reset_index().melt("step", value_name="value")
    return long.dropna(subset="value")


def add_to_results(sweep: Path, run: Path, arm: str, cell: Mapping[str, Any]) -> None:
    """Put a finished run into the sweep's `results.parquet`, in the place of what it had there."""
    path = sweep / RESULTS_TABLE
    table = table_of(load_run(run), sweep.resolve().name, arm, cell)
    if path.is_file():
        there = read_table(path)
        table = _joined([there[there["run"] != run.name], table])
    write_table(table, path, about_sweep(sweep))


def runs_in_results(sweep: Path) -> set[str]:
    """Names of the runs that the sweep's table has; none where there is no table yet.

    Raises:
        UserError: it is no table of this version; pandas is not installed.
    """
    _pandas()
    path = sweep / RESULTS_TABLE
    return set(read_table(path)["run"]) if path.is_file() else set()


def _several(
    folders: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> Iterator[Path]:
    if isinstance(folders, str | os.PathLike):
        yield Path(folders)
    else:
        yield from map(Path, folders)


def _tables(folder: Path) -> Iterator[pandas.DataFrame]:
    if not is_sweep(folder):
        yield table_of(load_run(folder))
        return
    content = read_sweep_file(folder / SWEEP_FILE)
    for name, arm in content["arms"].items():
        for seed in content["seeds"]:
            run = run_folder(folder, name, seed)
            if (recorded(run) or {}).get("status") == "finished":
                yield table_of(load_run(run), folder.resolve().name, name, arm.get("cell"))


def _joined(tables: list[pandas.DataFrame]) -> pandas.DataFrame:
    pandas = _pandas()
    if not tables:
        return pandas.DataFrame(columns=[*_FIRST, *_LAST])
    cells = dict.fromkeys(
        name for table in tables for name in table.columns if name not in (*_FIRST, *_LAST)
    )
    joined = pandas.concat(tables, ignore_index=True)[[*_FIRST, *cells, *_LAST]]
    twice = joined[joined.duplicated(["sweep", "run", "step", "metric"])]
    if len(twice):
        raise UserError(
            f"two runs are called {twice['run'].iloc[0]}: give sweeps and runs that are named "
            "apart, or load them one after the other"
        )
    return joined


def table_file(folder: Path) -> Path:
    """The table of a sweep's folder, or the file that is one already.

    Raises:
        UserError: there is none.
    """
    path = folder / RESULTS_TABLE if folder.is_dir() else folder
    if not path.is_file():
        has = "; it is a run: load_runs reads it" if (folder / RUN_FILE).is_file() else ""
        raise UserError(f"there is no {path}: hf-grok sweep writes it as runs finish{has}")
    return path


def _pandas() -> Any:
    return import_optional("pandas", extra="report", purpose="tables of runs")
