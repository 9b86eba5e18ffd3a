"""Runs that were probed: numbers that look like real ones, and pictures of trees and attention."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.dynamics.tables import write_run
from tests.report.synthetic import Array, question_rows, rise

RELATIONS = {"case": (200, 1.0), "det": (150, 0.9), "nsubj": (5_000, 0.6), "obj": (1_500, 0.5)}
WORDS = ["the", "newt", "does", "accept", "her", "newts", "."]
HEADS = [2, 4, 4, 0, 6, 4, 4]
DEPRELS = ["det", "nsubj", "aux", "root", "det", "obj", "punct"]
GOLD = [[0, 2], [0, 6], [2, 6], [3, 6], [4, 6]]
RIGHT_BRANCHING = [[start, 6] for start in range(5)]


def probe_columns(steps: Array, seed: int, *, pairs: bool = True) -> dict[str, Array]:
    """Numbers of all probes: structure arrives between saturation and generalization."""
    random = np.random.default_rng(100 + seed)
    one = np.ones(steps.size)

    def noisy(values: Array, scale: float = 0.01) -> Array:
        return values + random.normal(0, scale, steps.size)

    arrival = rise(steps, 4_000 + 300 * seed, 5)
    columns = {
        "uas_best_head": noisy(0.45 + 0.45 * arrival),
        "uas_best_offset": 0.7 * one,
        "uas_single_head": noisy(0.3 + 0.2 * arrival),
        "uas_single_offset": 0.36 * one,
        "uas_atypical": noisy(0.15 + 0.5 * arrival),
        "uas_atypical_offset": 0.2 * one,
        "tree_parseval": noisy(0.45 + 0.4 * rise(steps, 7_000, 6)),
        "tree_right_branching": 0.58 * one,
        "tree_left_branching": 0.37 * one,
        "tree_random": 0.43 * one,
        "tree_score": noisy(0.1 + 0.7 * rise(steps, 500, 3), 0.03),
        "sparsity_normalised": noisy(-0.9 + 0.35 * rise(steps, 700, 2), 0.005),
        "norm_l2": 92 + 5 * (steps / steps[-1]) ** 1.5,
        "intrinsic_dimension_cosine": noisy(4 + 2 * arrival, 0.3),
        "fisher_trace": np.exp(noisy(6 - 4 * rise(steps, 300, 1), 0.2)),
        "class_loss_content": noisy(3.5 - 1.5 * rise(steps, 200, 1)),
        "class_loss_function": noisy(3.0 - 2.2 * rise(steps, 300, 1)),
        "class_loss_agreement": noisy(2.5 - 2.4 * arrival),
        "class_loss_all": noisy(3.2 - 1.9 * rise(steps, 250, 1)),
    }
    for relation, (middle, offset) in RELATIONS.items():
        columns[f"uas_relation_{relation}"] = np.clip(
            noisy(0.2 + 0.7 * rise(steps, middle, 4)), 0, 1
        )
        columns[f"uas_relation_offset_{relation}"] = offset * one
    if pairs:
        columns["pairs_accuracy"] = noisy(0.5 + 0.45 * rise(steps, 6_000 + 200 * seed, 6))
    return columns


def probed_rows(*, seed: int = 0, pairs: bool = True, **options: Any) -> list[dict[str, Any]]:
    """Rows of question formation with the numbers of probes in every evaluation."""
    rows = question_rows(seed=seed, **options)
    evaluations = [row for row in rows if "eval_loss" in row]
    columns = probe_columns(
        np.array([row["step"] for row in evaluations], float), seed, pairs=pairs
    )
    for place, row in enumerate(evaluations):
        row |= {f"eval_{name}": float(values[place]) for name, values in columns.items()}
    return rows


def tree_picture(**changes: Any) -> dict[str, Any]:
    """What TreeProjection leaves of one sentence."""
    words, projected = WORDS[:-1], RIGHT_BRANCHING
    sentence = {"row": 0, "words": words, "projected": projected, "gold": GOLD, **changes}
    return {"sentences": [sentence]}


def uas_picture(sharpness: float, direction: str = "later") -> dict[str, Any]:
    """What AttentionUAS leaves of one sentence: heads that look at gold arcs, more or less."""
    size = len(WORDS)
    maps, heads = {}, {}
    for number, relation in enumerate(sorted(set(DEPRELS) - {"root"})):
        weights = np.random.default_rng(number).dirichlet(np.ones(size), size) * (1 - sharpness)
        for dependent, head in enumerate(HEADS):
            if DEPRELS[dependent] == relation:
                weights[dependent, head - 1] += sharpness
                weights[head - 1, dependent] += sharpness
        weights = weights * (np.tril(np.ones((size, size)), -1) if direction == "later" else 1)
        np.fill_diagonal(weights, 0)
        maps[relation] = np.round(np.clip(weights, 0, 1), 4).tolist()
        head = {"layer": number % 3, "head": number, "direction": direction}
        heads[relation] = {**head, "uas": round(sharpness - 0.01 * number, 2)}
    sentence = {"words": WORDS, "heads": HEADS, "deprels": DEPRELS, "maps": maps}
    return {"best_heads": heads, "sentences": [sentence]}


def write_pictures(
    folder: Path, pictures: Mapping[tuple[str, int], Mapping[str, Any]], tail: str = ""
) -> Path:
    """`probes.jsonl` of these pictures, by probe and step, with a tail as it is."""
    lines = [
        json.dumps({"step": step, "probe": probe, "version": 1, "picture": picture}) + "\n"
        for (probe, step), picture in pictures.items()
    ]
    (folder / "probes.jsonl").write_text("".join(lines) + tail)
    return folder


def probed_run(
    folder: Path, *, seed: int = 0, pairs: bool = True, direction: str = "later", **options: Any
) -> Path:
    """A run directory with the numbers of all probes and pictures at a few steps."""
    rows = probed_rows(seed=seed, pairs=pairs, **options)
    run = write_run(folder, rows, seed=seed)
    steps = [row["step"] for row in rows if "eval_loss" in row]
    pictures: dict[tuple[str, int], Mapping[str, Any]] = {}
    for place, step in enumerate(steps):
        done = place / (len(steps) - 1)
        pictures["tree", step] = tree_picture(projected=GOLD if done > 0.7 else RIGHT_BRANCHING)
        pictures["uas", step] = uas_picture(0.1 + 0.85 * done, direction)
    return write_pictures(run, pictures)
