"""A few small books with heads, in every form that a corpus has."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hf_grok.annotation.scheme import write_annotation

WORDS = [
    "The",
    "dogs",
    "naïve",
    "cat",
    "doesn",
    "n't",
    "seems",
    "running",
    ",",
    ".",
    "unbelievably",
]
RELATIONS = ["det", "nsubj", "obj", "advmod", "punct"]

RECIPE = """
model: bert
layers: 2
hidden_size: 16
heads: 2
model_options: {intermediate_size: 32, max_position_embeddings: 64}
vocabulary_size: 300
row_tokens: 32
validation_share: 0.2
evaluation_examples: 5
per_device_train_batch_size: 4
learning_rate: 1.0e-3
lr_scheduler_type: constant_with_warmup
warmup_steps: 5
max_steps: 8
evaluations: "0,8"
checkpoints: every:4
logging_steps: 4
probe_examples: 20
disable_tqdm: true
use_cpu: true
threads: 1
seed: 7
"""


def tree(length: int, draw: random.Random) -> list[int]:
    """Random heads from 1, one root: every word hangs on one that is placed already."""
    order = draw.sample(range(length), length)
    heads = [0] * length
    for at, word in enumerate(order[1:], start=1):
        heads[word] = order[draw.randrange(at)] + 1
    return heads


def sentences(count: int, *, seed: int = 0, documents: int = 5, longest: int = 9) -> list[dict]:
    """Rows with words, heads, deprels and document, documents one after another."""
    draw = random.Random(seed)
    rows = []
    for at in range(count):
        words = draw.choices(WORDS, k=draw.randint(1, longest))
        heads = tree(len(words), draw)
        deprels = [draw.choice(RELATIONS) if head else "root" for head in heads]
        document = f"book.txt:{at * documents // count + 1}"
        rows.append({"words": words, "heads": heads, "deprels": deprels, "document": document})
    return rows


def write_parquet(
    folder: Path, rows: Sequence[dict[str, Any]], *, scheme: str = "clearnlp"
) -> Path:
    """A folder as `hf-grok data parse` leaves it, in two shards."""
    folder.mkdir(parents=True)
    half = len(rows) // 2
    for number, part in enumerate((rows[:half], rows[half:])):
        path = folder / f"train-0000{number}-of-00002.parquet"
        pq.write_table(pa.Table.from_pylist(list(part)), path)
    write_annotation(folder, {"annotation_scheme": scheme})
    return folder


def write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_conllu(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    blocks, document = [], None
    for row in rows:
        if row["document"] != document:
            document = row["document"]
            blocks.append(f"# newdoc id = {document}\n")
        numbered = enumerate(zip(row["words"], row["heads"], row["deprels"], strict=True), start=1)
        lines = [
            f"{number}\t{word}\t_\tX\t_\t_\t{head}\t{relation}\t_\t_"
            for number, (word, head, relation) in numbered
        ]
        blocks.append("\n".join(lines) + "\n\n")
    path.write_text("".join(blocks))
    return path
