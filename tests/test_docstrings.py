"""The examples in docstrings run: with what a script has by then, they do what they say."""

from __future__ import annotations

import ast
import doctest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from transformers import Trainer, TrainingArguments

import hf_grok
from hf_grok import callbacks, sas
from hf_grok.metrics.metric import filled
from hf_grok.models import word_level_tokenizer
from tests.callbacks.material import tiny_trainer
from tests.probes.matrix import model_of

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("hf_grok", "callbacks", "datasets_scripts", "model_cards")
ROWS = [
    {
        "words": ["the", "cat", "runs", "."],
        "heads": [2, 3, 0, 3],
        "deprels": ["det", "nsubj", "root", "punct"],
        "spans": [[0, 3], [0, 2]],
    }
] * 4


def examples() -> Iterator[tuple[str, list[doctest.Example]]]:
    """Where a docstring stands, and the examples in it."""
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                found = doctest.DocTestParser().get_examples(ast.get_docstring(node) or "")
                if found:
                    name = getattr(node, "name", "module")
                    yield f"{path.relative_to(ROOT)}::{name}", found


FOUND = dict(examples())


def at_hand(folder: Path) -> dict[str, Any]:
    """The public names, and what a user's script has made before the line that is shown."""
    public = {
        name: getattr(room, name) for room in (hf_grok, callbacks, sas) for name in room.__all__
    }
    tokenizer = word_level_tokenizer(ROWS[0]["words"], mask=True)
    trainer = tiny_trainer(folder)
    trainer.processing_class = word_level_tokenizer(ROWS[0]["words"])
    made = {"rows": ROWS, "tokenizer": tokenizer, "trainer": trainer, "filled": filled}
    made |= {"Trainer": Trainer, "TrainingArguments": TrainingArguments}
    return {**public, **made, "model": model_of("bert", len(tokenizer))}


def test_the_faces_of_the_house_show_how_they_are_used() -> None:
    shown = {where.rpartition("::")[2] for where in FOUND}
    assert {"SASTrainer", "SASTrainingArguments", "ProbeCallback"} <= shown
    assert {"CheckpointSeriesCallback", "LogSpacedCallback"} <= shown


@pytest.mark.parametrize("where", FOUND)
def test_an_example_runs(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # Only what an example claims is compared: an object that it makes and does not name is not.
    claimed = [one for one in FOUND[where] if one.want]
    made = [one for one in FOUND[where] if not one.want]
    names = at_hand(tmp_path)
    for one in made:
        exec(compile(one.source, where, "exec"), names)
    test = doctest.DocTest(claimed, names, where, where, 0, None)
    assert doctest.DocTestRunner().run(test).failed == 0
