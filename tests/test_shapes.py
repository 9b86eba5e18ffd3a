"""Shapes that annotations state are checked while the tests run, in every room that states them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from jaxtyping import TypeCheckError

from hf_grok.annotation.alignment import tokens_to_words
from hf_grok.attention.spans import SpanMask
from hf_grok.measurement.length_batches import length_batches
from hf_grok.probes.dimension.two_nn import two_nearest

CUBE = torch.zeros(2, 2, 2)
CALLS: dict[str, Callable[[], object]] = {
    "annotation": lambda: tokens_to_words(CUBE.long(), 2),
    "attention": lambda: SpanMask(CUBE.bool(), 0, 1),
    "measurement": lambda: length_batches(CUBE.long(), [0], 3),
    "probes": lambda: two_nearest(CUBE),
}


@pytest.mark.parametrize("room", CALLS)
def test_a_wrong_shape_is_refused(room: str) -> None:
    with pytest.raises(TypeCheckError):
        CALLS[room]()
