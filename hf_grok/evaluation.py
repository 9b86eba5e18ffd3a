"""What is measured at each evaluation of a run, summed over ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from accelerate import Accelerator
from torch import nn

from hf_grok.behaviour import Behaviour
from hf_grok.guard import watching
from hf_grok.probes.weight_norm import l2_norm
from hf_grok.shares import summed


@dataclass(frozen=True)
class Measures:
    """Loss and behaviours of a recipe.

    Attributes:
        loss: token-weighted loss on validation data.
        behaviours: prefix of the metrics' names -> behaviour.
    """

    loss: Behaviour
    behaviours: Mapping[str, Behaviour]


def measure(
    model: nn.Module, measures: Measures, accelerator: Accelerator | None = None
) -> dict[str, float]:
    """metric name -> value: `loss`, PREFIX_accuracy and so on, `weight_norm`.

    Each rank scores its share of the examples; sums are added over ranks, so every rank returns
    the same plain numbers, whatever their count.
    """
    world = accelerator.num_processes if accelerator else 1
    rank = accelerator.process_index if accelerator else 0
    with watching(model):
        tally = measures.loss.tally(model, range(rank, len(measures.loss), world))
        for name, behaviour in measures.behaviours.items():
            share = behaviour.tally(model, range(rank, len(behaviour), world))
            tally = tally + share.prefixed(f"{name}_")
        tally = summed(tally, accelerator)
        return {**tally.ratios(), "weight_norm": l2_norm(model)}
