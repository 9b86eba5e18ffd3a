"""The regulariser's settings: what is read, and what is refused with what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hf_grok import SASTrainingArguments
from hf_grok.errors import UserError
from hf_grok.sas.options import PenaltyOptions, parse_heads, parse_layers, parse_relations


def test_subsets_are_read() -> None:
    assert parse_layers("all") is parse_heads("all") is parse_relations("all") is None
    assert parse_layers("0, 2") == (0, 2)
    assert parse_heads("1,2.3") == ((None, 1), (2, 3))
    assert parse_relations("nsubj,acl:relcl") == ("nsubj", "acl:relcl")


def test_chosen_heads_are_those_of_the_chosen_layers() -> None:
    assert len(PenaltyOptions().chosen(3, 4)) == 12
    assert PenaltyOptions(layers=(2,)).chosen(3, 2) == [(2, 0), (2, 1)]
    options = PenaltyOptions(layers=(0, 2), heads=((None, 1), (2, 0)))
    assert options.chosen(3, 2) == [(0, 1), (2, 0), (2, 1)]


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({"layers": (3,)}, "names layer 3: the model has 3, 0 to 2"),
        ({"heads": ((None, 2),)}, "names head 2: each layer has 2, 0 to 1"),
        ({"heads": ((1, 0),), "layers": (0,)}, "names 1.0: expected one of the chosen layers, 0"),
    ],
)
def test_layers_and_heads_that_a_model_does_not_have(options: dict[str, Any], seen: str) -> None:
    with pytest.raises(UserError) as caught:
        PenaltyOptions(**options).chosen(3, 2)
    assert seen in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("sas_heads_reduction", "mean", "max, sum"),
        ("sas_heads_power", 0.5, "from 1 on"),
        ("sas_directions", "up", "both, children, head"),
        ("sas_normalisation", "batch", "arc, sum, token"),
        ("sas_attention", "dropout", "post_dropout, pre_dropout"),
        ("sas_arcs", "random", "contrast, contrast-clamped, sham, syntactic"),
        ("sas_piece_alignment", "last", "aggregate, first"),
        ("sas_implementation", "flash", "auto, batched, eager, fused"),
        ("sas_schedule", "10:1", "the first from step 0"),
        ("sas_layers", "0,0", "name each once"),
        ("sas_layers", "-1", "numbers with commas"),
        ("sas_heads", "1.x", "numbers with commas"),
        ("sas_relations", "nsubj,,obj", "names with commas"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(
    field: str, value: Any, allowed: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as caught:
        SASTrainingArguments(str(tmp_path), **{field: value})
    assert allowed in str(caught.value)


def test_the_defaults_are_those_of_transformers_and_no_regulariser(tmp_path: Path) -> None:
    arguments = SASTrainingArguments(str(tmp_path), learning_rate=0.5)
    assert arguments.learning_rate == 0.5
    assert arguments.penalty_schedule().is_off
    assert arguments.penalty_options() == PenaltyOptions()
