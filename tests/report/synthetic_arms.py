"""A sweep's folder that looks like a real one: structure, then the loss, then grammar."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.dynamics.tables import write_run
from tests.report.synthetic import rise, schedule

OFFSETS = {
    "eval_uas_single_offset": 0.28,
    "eval_uas_best_offset": 0.35,
    "eval_uas_atypical_offset": 0.12,
}
# arm -> step of the structure, of the loss, of the pairs; None for never.
ARMS: dict[str, dict[str, Any]] = {
    "base": {"at": (500, 620, 1500)},
    "suppress-0.1": {"at": (1400, 1500, 2600)},
    "suppress-0.3": {"at": (None, None, None)},
    "promote-0.03": {"at": (480, 700, 1700)},
    "promote-0.1": {"at": (400, 880, 2100)},
    "release-300": {"at": (650, 760, 1700), "from": "suppress-0.3", "step": 300},
    "release-600": {"at": (900, 1000, 2200), "from": "suppress-0.3", "step": 600},
    "sham-suppress-0.3": {"at": (900, 1900, None)},
    "contrast-0.1": {"at": (420, 700, 1600)},
}


def arm_rows(
    at: tuple[int | None, int | None, int | None], seed: int, last: int = 3000
) -> list[dict[str, Any]]:
    """Evaluations of one run whose numbers rise at these steps."""
    random = np.random.default_rng(seed)
    steps = schedule(last, 100)
    shift = 1 + 0.06 * random.normal()

    def up(middle: int | None, sharpness: float = 8) -> np.ndarray:
        if middle is None:
            return np.zeros(steps.size)
        return rise(steps, middle * shift * 1.15, sharpness)

    structure, drop, pairs = up(at[0]), up(at[1]), up(at[2], 4)
    noise = random.normal(0, 0.008, (6, steps.size))
    columns = {
        "eval_loss": 5.3 + 1.1 * np.exp(-steps / 60) - 2.6 * drop - 0.2 * steps / last + noise[0],
        "eval_uas_single_head": 0.2 + 0.28 * structure + noise[1],
        "eval_uas_best_head": 0.26 + 0.38 * structure + noise[2],
        "eval_uas_atypical": 0.08 + 0.4 * structure + noise[3],
        "eval_pairs_accuracy": 0.5 + 0.4 * pairs + noise[4],
        "eval_pairs_determiner_noun": 0.5 + 0.49 * up(at[1]) + 0 * noise[5],
        "eval_pairs_subject_verb_across_pp": 0.5 - 0.2 * drop + 0.5 * pairs,
        "eval_pairs_ties": np.zeros(steps.size),
        **{name: np.full(steps.size, value) for name, value in OFFSETS.items()},
    }
    return [
        {"step": int(step), **{name: float(values[i]) for name, values in columns.items()}}
        for i, step in enumerate(steps)
    ]


def write_sweep(
    out: Path, arms: Mapping[str, Mapping[str, Any]] = ARMS, seeds: tuple[int, ...] = (0, 1, 2)
) -> Path:
    """The folder, every run in it finished."""
    for name, arm in arms.items():
        for seed in seeds:
            rows = arm_rows(arm["at"], 10 * seed + len(name))
            write_run(out / f"{name}-seed{seed}", rows, seed=seed, recipe="sas-mlm")
    described = {
        name: {"settings": {}, "from": arm.get("from"), "step": arm.get("step", 0)}
        for name, arm in arms.items()
    }
    content = {"format": 1, "name": "try", "recipe": "sas-mlm", "seeds": list(seeds)}
    (out / "sweep.json").write_text(json.dumps({**content, "arms": described}))
    return out
