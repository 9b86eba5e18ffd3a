"""The curves of one run as the page holds them: columns of equal length, with gaps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hf_grok.dynamics.onsets.axes import TOKENS
from hf_grok.explorer.numbers import TRAINING_PREFIX
from hf_grok.explorer.thinning import kept_steps

if TYPE_CHECKING:
    import pandas

DIGITS = 6
_NOT_CURVES = (TOKENS, "eval_runtime", "eval_samples_per_second", "eval_steps_per_second", "epoch")


def table_of(
    frame: pandas.DataFrame,
    most: int,
    *,
    main: Sequence[str] = (),
    always: Collection[int] = (),
    prefix: str = "",
) -> dict[str, Any]:
    """A frame indexed by step, thinned to about `most` rows.

    Args:
        frame: evaluations of a run, or what it logged.
        most: rows; a frame of no more is kept whole.
        main: columns whose extremes are kept.
        always: steps that are kept.
        prefix: before the names of the columns.

    Returns:
        `steps`; `tokens` read by then (None where that was not logged); `columns`: name -> values
        to six digits, None where there is none; `of`: rows there were.
    """
    every = frame.index.to_numpy(dtype=np.int64)
    seen = [frame[name].to_numpy(dtype=np.float64) for name in main if name in frame.columns]
    kept = kept_steps(every, seen, most, always)
    rows = frame.loc[kept]
    columns = {
        f"{prefix}{name}": plain(rows[name])
        for name in rows.columns
        if name not in _NOT_CURVES and frame[name].notna().any()
    }
    tokens = plain(rows[TOKENS]) if TOKENS in rows.columns else None
    return {"steps": kept.tolist(), "tokens": tokens, "columns": columns, "of": len(frame)}


def training_table(frame: pandas.DataFrame, most: int) -> dict[str, Any]:
    """`table_of` what was logged while training, its names after `TRAINING_PREFIX`."""
    return table_of(frame, most, main=("loss",), prefix=TRAINING_PREFIX)


def plain(values: Any) -> list[float | int | None]:
    """Numbers to six digits, whole ones as such; None for those that JSON cannot say."""
    return [_number(float(value)) for value in values]


def _number(value: float) -> float | int | None:
    if not np.isfinite(value):
        return None
    short = float(f"{value:.{DIGITS}g}")
    return int(value) if value.is_integer() else short
