"""Progress of a run in steps, tokens, learning rate and distance."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas
import pytest

from hf_grok.dynamics import Run, available_axes, progress_axis
from hf_grok.dynamics.onsets.axes import along
from hf_grok.errors import UserError
from tests.dynamics.tables import INFO, table

NAN = float("nan")


def run(
    steps: list[int], training: dict[int, dict[str, float]] | None = None, **columns: list[float]
) -> Run:
    """A run with these evaluations and training rows."""
    frame = pandas.DataFrame.from_dict(training or {}, orient="index", dtype="float64")
    columns = columns or {"loss": [1.0] * len(steps)}
    return Run(Path("runs/one"), INFO, table(steps, **columns), frame.sort_index())


def test_steps_are_always_there() -> None:
    bare = run([0, 10, 20])
    assert available_axes(bare) == ["steps"]
    assert progress_axis(bare, "steps").tolist() == [0.0, 10.0, 20.0]


def test_tokens_and_distance_where_they_were_measured() -> None:
    moved = run([0, 10, 20], eval_tokens_seen=[0.0, NAN, 900.0])
    assert available_axes(moved) == ["steps", "tokens"]
    np.testing.assert_array_equal(progress_axis(moved, "tokens"), [0.0, NAN, 900.0])
    moved = run([0, 10, 20], eval_distance_from_start=[0.0, NAN, 3.0])
    assert available_axes(moved) == ["steps", "distance_from_start"]
    np.testing.assert_array_equal(progress_axis(moved, "distance_from_start"), [0.0, NAN, 3.0])


def summed(rate_at: list[tuple[int, float]], until: int) -> float:
    """The learning rates of steps 1..until, one by one."""
    total = 0.0
    for step in range(1, until + 1):
        left, right = rate_at[0], rate_at[1]
        for pair in pairwise(rate_at):
            if pair[0][0] <= step:
                left, right = pair
        slope = (right[1] - left[1]) / (right[0] - left[0])
        total += max(0.0, left[1] + slope * (step - left[0]))
    return total


@pytest.mark.parametrize(
    "logged",
    [
        [(10, 1e-4), (20, 2e-4), (30, 2e-4)],  # warm-up, then constant
        [(10, 3e-4), (20, 3e-4)],
        [(10, 1e-5), (20, 1e-4), (30, 4e-5)],  # carried on to below 0 at both ends
    ],
)
def test_cumulative_learning_rate_is_a_sum_over_steps(logged: list[tuple[int, float]]) -> None:
    training = {step: {"learning_rate": rate, "loss": NAN} for step, rate in logged}
    steps = [0, 1, 2, 4, 15, 30, 60]
    total = progress_axis(run(steps, training), "cumulative_learning_rate")
    assert total.tolist() == pytest.approx([summed(logged, step) for step in steps])
    assert total[0] == 0.0
    assert (np.diff(total) >= 0).all()


def test_a_linear_warm_up_is_exact() -> None:
    """Rates of steps 1, 2, ... are 0, 1, 2, ...: as Trainer logs them."""
    training = {step: {"learning_rate": float(step - 1)} for step in (100, 200, 300)}
    total = progress_axis(run([1, 50, 250], training), "cumulative_learning_rate")
    assert total.tolist() == [0.0, 49 * 50 / 2, 249 * 250 / 2]


def test_a_single_logged_rate_is_the_rate() -> None:
    total = progress_axis(run([0, 5], {3: {"learning_rate": 0.5}}), "cumulative_learning_rate")
    assert total.tolist() == [0.0, 2.5]


def test_what_a_run_does_not_have_is_listed() -> None:
    rated = run([0, 10], {5: {"learning_rate": 1e-3}})
    with pytest.raises(UserError) as caught:
        progress_axis(rated, "tokens")
    assert str(caught.value) == (
        "runs/one has no axis 'tokens': eval_tokens_seen is not logged; it has steps, "
        "cumulative_learning_rate"
    )
    with pytest.raises(UserError, match=r"unknown progress axis 'token': .*Did you mean 'tokens'"):
        progress_axis(rated, "token")


def test_lines_are_carried_on() -> None:
    at = np.array([0.0, 5.0, 10.0, 15.0, 20.0, 40.0])
    steps, values = np.array([10, 20]), np.array([1.0, 3.0])
    assert along(steps, values, at).tolist() == [-1.0, 0.0, 1.0, 2.0, 3.0, 7.0]
    assert along(steps[:1], values[:1], at).tolist() == [1.0] * 6
