"""What every probe is: summable state first, numbers after, and facts about each number."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor, nn

from hf_grok.measurement.requirements import require_finite_weights
from hf_grok.metrics import Level, Metric

# name -> sums, on the CPU; of the same names and shapes for every part of the data.
State: TypeAlias = dict[str, Tensor]


class Probe(ABC):
    """measure(model) = compute(sum over any split of the items of state(model, part)).

    A probe knows no callback and no Trainer. Items are what it looks at: sentences, pairs, or 1
    where it looks at the weights alone. Process r of w takes `range(len(probe))[r::w]`, and the
    processes' states add up, so every number is exact for any number of processes.

    Attributes:
        name: prefix of every number ("uas" gives "uas_single_head").
        version: raised when the same model would get other numbers.
        source: paper and section of the definition.
        metrics: facts about each number, by name; a name may end in "{}", which stands for a
            relation, an offset or a paradigm.
        needs_data: whether it looks at data; False where the weights are all it looks at.
        needs_tokenizer: whether its data are read with the model's tokenizer.
        splits: split of a data set -> name of the probe over it, of a probe that measures several
            splits where it is given a data set of several.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    source: ClassVar[str]
    metrics: ClassVar[Mapping[str, Metric]]
    needs_data: ClassVar[bool] = True
    needs_tokenizer: ClassVar[bool] = True
    splits: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def from_data(cls, rows: Any, tokenizer: Any, **options: Any) -> Probe:
        """The probe over rows of data, or without any where it `needs_data` not.

        What is built by name (on the command line, in a recipe, by `ProbeCallback`) is built here.
        """
        build: Callable[..., Probe] = cls
        return build(rows, tokenizer, **options) if cls.needs_data else build(**options)

    @abstractmethod
    def __len__(self) -> int:
        """Number of items."""

    @abstractmethod
    def state(self, model: nn.Module, indices: Sequence[int] | None = None) -> State:
        """Sums over the items at `indices` (default: all of them; none gives zeros).

        The model is in evaluation mode, not wrapped, on any device; nothing is drawn from the
        global random state and nothing of the model is left changed. Gradients, where a probe
        needs them, are never written to `.grad`.

        Raises:
            UserError: this model, or these data, cannot be probed; says why and what would do.
            RuntimeError: the model is in training mode.
        """

    @abstractmethod
    def compute(self, state: State) -> dict[str, float]:
        """The numbers of a summed state: plain finite floats; what has no case is left out.

        Each is named after `self.name`, which is the class's own or one that `named` gave.
        """

    def picture(self, state: State) -> dict[str, Any] | None:
        """What a report draws of this state, as plain JSON; None where there is no picture."""
        return None

    def named(self, name: str) -> Probe:
        """The same probe under another name, with which its numbers then begin.

        What goes on from the old name, as in `uas.named("uas_gum")`, stands in brackets behind
        their titles, so that figures and tables show both probes apart: "UAS, best heads (gum)".
        """
        other = copy.copy(self)
        own = name.removeprefix(f"{self.name}_") if name.startswith(f"{self.name}_") else ""

        def renamed(metric: str) -> str:
            return name + metric.removeprefix(self.name)

        def compared(other: str | Level) -> str | Level:
            return renamed(other) if isinstance(other, str) else other

        def titled(text: str) -> str:
            return f"{text} ({own.replace('_', ' ')})" if own and text else text

        metrics = {
            renamed(key): replace(
                one,
                baseline=None if one.baseline is None else compared(one.baseline),
                beside=tuple(map(compared, one.beside)),
                title=titled(one.title),
                panel=titled(one.panel),
            )
            for key, one in self.metrics.items()
        }
        vars(other).update(name=name, metrics=metrics)
        return other

    def measure(self, model: nn.Module) -> dict[str, float]:
        """`compute(state(model))`: every item, in this process.

        Raises:
            UserError: as `state`; or a parameter of the model is not finite.
        """
        require_finite_weights(model)
        return self.compute(self.state(model))


def add_states(states: Iterable[State]) -> State:
    """Element by element, the sum of states of the same names and shapes."""
    total: State = {}
    for state in states:
        for name, values in state.items():
            total[name] = total[name] + values if name in total else values.clone()
    return total


def device_of(model: nn.Module) -> torch.device:
    """The device of the model's parameters."""
    return next(model.parameters()).device
