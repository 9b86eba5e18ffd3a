from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from datasets import Dataset
from torch import Tensor

from hf_grok.errors import UserError
from hf_grok.probes.tasks import DyckBehaviour
from hf_grok.probes.tasks.dyck import closing_distances
from tests.probes.tasks.material import RiggedModel, tiny_gpt2, tokenizer_of


def nested(depth: int) -> str:
    """Distances 1, 3, ..., 2 depth - 1; types alternate, so that the last type opened is wrong."""
    kinds = [number % 2 for number in range(depth)]
    return " ".join([f"({k}" for k in kinds] + [f"){k}" for k in reversed(kinds)])


def random_string(draw: random.Random, pairs: int, depth: int = 4, types: int = 3) -> str:
    words: list[str] = []
    opened: list[int] = []
    left = pairs
    while left or opened:
        if left and len(opened) < depth and (not opened or draw.random() < 0.5):
            opened.append(draw.randrange(types))
            words.append(f"({opened[-1]}")
            left -= 1
        else:
            words.append(f"){opened.pop()}")
    return " ".join(words)


def stack_rule(words: list[str]) -> str:
    opened: list[str] = []
    for word in words:
        if word.startswith("("):
            opened.append(word)
        elif opened:
            opened.pop()
    return opened[-1].replace("(", ")") if opened else "(0"


def last_opened_rule(words: list[str]) -> str:
    return next((w.replace("(", ")") for w in reversed(words) if w.startswith("(")), "(0")


STRINGS = [nested(2), nested(12), "(0 )0 (1 )1"]
ROWS = [{"text": text} for text in STRINGS]
TOKENIZER = tokenizer_of(STRINGS, append_end=True)


def test_distances_are_words_back_to_the_opening() -> None:
    assert closing_distances(["(0", ")0", "(1", "(0", ")0", ")1"]) == [0, 1, 0, 0, 1, 3]


def test_the_stack_model_closes_everything() -> None:
    behaviour = DyckBehaviour(ROWS, TOKENIZER)
    assert len(behaviour) == 3
    assert dict(behaviour.tally(RiggedModel(TOKENIZER, stack_rule))) == {
        "accuracy": (7, 7),
        "accuracy_all": (16, 16),
        "accuracy_distance_1": (4, 4),
        "accuracy_distance_2_3": (2, 2),
        "accuracy_distance_4_9": (3, 3),
        "accuracy_distance_10_19": (5, 5),
        "accuracy_distance_20_plus": (2, 2),
    }


def test_a_model_without_a_stack_closes_the_near_ones() -> None:
    tally = DyckBehaviour(ROWS, TOKENIZER).tally(RiggedModel(TOKENIZER, last_opened_rule))
    # It repeats the innermost type: every second bracket of the deep string is right.
    assert tally["accuracy_distance_1"] == (4, 4)
    assert tally["accuracy_distance_2_3"] == (0, 2)
    assert tally["accuracy_distance_4_9"] == (2, 3)
    assert tally["accuracy"] == (3, 7)


def test_only_closing_brackets_compete() -> None:
    class Opening(RiggedModel):
        def forward(self, input_ids: Tensor, **_: Any) -> SimpleNamespace:
            output = super().forward(input_ids)
            output.logits[..., self.tokenizer.get_vocab()["(1"]] = 20.0
            output.logits[..., 2] = 21.0
            return output

    tally = DyckBehaviour(ROWS, TOKENIZER).tally(Opening(TOKENIZER, stack_rule))
    assert tally["accuracy_all"] == (16, 16)


@pytest.mark.parametrize("append_end", [False, True])
def test_equals_one_bracket_at_a_time(append_end: bool) -> None:
    draw = random.Random(1)
    strings = [random_string(draw, draw.randint(1, 20)) for _ in range(25)]
    tokenizer = tokenizer_of(strings, append_end)
    model = tiny_gpt2(len(tokenizer))
    vocabulary = tokenizer.get_vocab()
    closing = [word for word in vocabulary if word.startswith(")")]
    right, count = 0, 0
    for string in strings:
        words = string.split()
        for place, word in enumerate(words):
            distance = closing_distances(words)[place]
            if distance >= 10:
                ids = torch.tensor([[1, *(vocabulary[word] for word in words[:place])]])
                with torch.no_grad():
                    logits = model(ids).logits[0, -1]
                best = max(closing, key=lambda bracket: logits[vocabulary[bracket]].item())
                right, count = right + (best == word), count + 1
    behaviour = DyckBehaviour([{"text": string} for string in strings], tokenizer)
    whole = behaviour.tally(model)
    assert whole["accuracy"] == (right, count)
    assert 0 < right < count
    parts = [behaviour.tally(model, range(rank, len(behaviour), 3)) for rank in range(3)]
    assert dict(parts[0] + parts[1] + parts[2]) == dict(whole)


def test_given_distances_must_agree() -> None:
    rows = [{"text": "(0 )0 (1 (0 )0 )1", "distances": [1, 1, 3], "depth": 2}]
    tokenizer = tokenizer_of([rows[0]["text"]])
    assert len(DyckBehaviour(Dataset.from_list(rows), tokenizer)) == 1
    rows[0]["distances"] = [0, 0, 2]
    for wrong in (rows, Dataset.from_list(rows)):
        with pytest.raises(UserError, match=r"row 0: distances are \[0, 0, 2\]"):
            DyckBehaviour(wrong, tokenizer)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(0 )0 )1", r"row 1 .* word 2 is '\)1', but nothing is open"),
        ("(0 )1", r"row 1 .* word 1 is '\)1', but the open bracket is \(0"),
        ("(0 (1 )1", r"row 1 .* 1 brackets are never closed, the last of them \(0"),
        ("(0 [1", r"row 1 .* '\[1' is no bracket"),
    ],
)
def test_strings_that_do_not_nest(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        DyckBehaviour([{"text": "(0 )0"}, {"text": text}], tokenizer_of(["(0 )0", text]))


def test_no_rows() -> None:
    with pytest.raises(UserError, match="no Dyck string"):
        DyckBehaviour([], TOKENIZER)
