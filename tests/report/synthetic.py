"""Runs that look like real ones: saturation early, generalization late, and swings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.dynamics.tables import write_run

Array = NDArray[np.float64]
PREFIX = "eval_generalization_accuracy_"


def schedule(last: int, every: int) -> Array:
    """0, 1, 2, 4, ... and then every so many steps."""
    early = [0, *(2**power for power in range(30) if 2**power < every)]
    return np.array([*early, *range(every, last + 1, every)], dtype=float)


def rise(steps: Array, middle: float, steepness: float = 4.0) -> Array:
    """A logistic curve in the logarithm of the step."""
    return 1 / (1 + (np.maximum(steps, 1e-9) / middle) ** -steepness)


def swings(steps: Array, since: float, depth: float, seed: int) -> Array:
    """Dips that come and go after a step: a positive, correlated noise."""
    random = np.random.default_rng(seed)
    noise = np.convolve(random.normal(size=steps.size + 4), np.ones(5) / 5, mode="valid")
    return np.where(steps > since, depth * np.maximum(noise, 0), 0.0)


def question_rows(
    *, seed: int = 0, last: int = 20_000, every: int = 250, arrival: float | None = 11_000
) -> list[dict[str, Any]]:
    """Question formation; `arrival` None sticks at the adjacency heuristic."""
    steps = schedule(last, every)
    chance = 0.25 * (1 - rise(steps, 300))
    seen = np.round(np.minimum(1.0, rise(steps, 600, 5.5) + chance) * 500) / 500
    subject = rise(steps, 3_500 + 500 * seed, 3.5)
    kinds = {
        "rc_subject_intransitive": subject - swings(steps, 5_000, 0.5, seed + 10),
        "rc_subject_transitive": subject**1.5 - swings(steps, 5_000, 0.8, seed + 20),
        "rc_object": (
            np.zeros(steps.size)
            if arrival is None
            else rise(steps, arrival, 8) - swings(steps, 9_000, 1.6, seed + 30)
        ),
    }
    kinds = {kind: np.clip(values + chance, 0, 1) for kind, values in kinds.items()}
    mean = np.mean(list(kinds.values()), axis=0)
    noise = np.random.default_rng(seed).normal(0, 0.01, steps.size)
    loss = 1.9 + 3.4 * (1 - rise(steps, 150, 1.2)) + noise
    rows: list[dict[str, Any]] = []
    for position, step in enumerate(steps):
        rows.append(
            {
                "step": int(step),
                "eval_loss": float(loss[position]),
                "eval_in_distribution_accuracy": float(seen[position]),
                "eval_generalization_accuracy": float(mean[position]),
                "eval_generalization_linear_share": float(np.clip(0.95 - mean[position], 0, 1)),
                "eval_weight_norm": float(95 + 12 * np.log1p(step / 300)),
                **{PREFIX + kind: float(values[position]) for kind, values in kinds.items()},
            }
        )
    return rows + training_rows(last, seed)


def training_rows(last: int, seed: int) -> list[dict[str, Any]]:
    """Logged training loss, noisier than the validation loss."""
    random = np.random.default_rng(seed)
    steps = np.arange(100, last + 1, 100)
    loss = (
        1.95 + 3.4 * (1 - rise(steps.astype(float), 150, 1.2)) + random.normal(0, 0.04, len(steps))
    )
    return [
        {"step": int(step), "loss": float(value), "learning_rate": 3e-4, "grad_norm": 1.0}
        for step, value in zip(steps, loss, strict=True)
    ]


def dyck_rows(*, seed: int = 0, last: int = 10_000, every: int = 500) -> list[dict[str, Any]]:
    """Dyck: generalization lags a little, by distance."""
    steps = schedule(last, every)
    middles = {"1": 200, "2_3": 500, "4_9": 1_500, "10_19": 5_000, "20_plus": 9_000}
    seen = rise(steps, 1_200, 1.5)
    return [
        {
            "step": int(step),
            "eval_loss": 3 - 2 * float(seen[position]),
            "eval_in_distribution_accuracy": float(seen[position]),
            "eval_generalization_accuracy": float(rise(steps, 6_000 + 500 * seed, 2)[position]),
            **{
                f"{PREFIX}distance_{name}": float(rise(steps, middle, 1.5)[position])
                for name, middle in middles.items()
            },
        }
        for position, step in enumerate(steps)
    ]


def question_run(
    folder: Path, *, seed: int = 0, info: dict[str, Any] | None = None, **rows: Any
) -> Path:
    """A run directory of question formation."""
    return write_run(folder, question_rows(seed=seed, **rows), seed=seed, **(info or {}))
