"""One forward pass for all that is read off it: attention maps, layer by layer, and last states."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from hf_grok.annotation.alignment import EncodedWords
from hf_grok.attention.maps import (
    Reduce,
    attention_masks,
    eager_attention,
    for_each_layer,
    word_batches,
)
from hf_grok.attention.modules import recorded_attention
from hf_grok.errors import UserError
from hf_grok.models.text_model import transformer_of
from hf_grok.probes.base import Probe, State, device_of
from hf_grok.probes.inputs.encoding import check_words_fit
from hf_grok.probes.inputs.wrappers import ready

Masks = Mapping[int, Tensor | None]


class Reader(ABC):
    """Sums up, batch by batch, what one probe reads off a pass over sentences.

    Attributes:
        causal: whether the model sees earlier words only.
        needs_maps: whether it reads attention maps.
        needs_masks: whether it reads the masks with which attention is called.
        inputs: what the model is called with beside the sentences.
    """

    causal: bool
    needs_maps: ClassVar[bool] = False
    needs_masks: ClassVar[bool] = False
    inputs: Mapping[str, Any] = {}

    def begin(self, batch: Sequence[int], masks: Masks) -> Reduce | None:
        """What is called with each layer's maps of this batch; None for nothing."""
        return None

    def end(self, batch: Sequence[int], output: Any) -> None:
        """Called with what the transformer gave for this batch."""
        return None

    @abstractmethod
    def state(self) -> State:
        """The sums, on the CPU."""


class ReadingProbe(Probe):
    """A probe whose state is read off one pass over its sentences.

    Attributes:
        words: the sentences, its items.
        shares: whether it reads no more than the maps and the last states of a plain pass.
    """

    words: EncodedWords
    shares: bool = True

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.words)

    @abstractmethod
    def reader(self, model: nn.Module) -> Reader:
        """What sums up this probe's state, for a model out of its wrapper.

        Raises:
            UserError: the model cannot be read, or is too small for the data.
        """

    def state(self, model: nn.Module, indices: Sequence[int] | None = None) -> State:
        """Sums over the sentences at `indices`, in a pass of its own; see `Probe.state`."""
        return read_together(model, [self], indices)[0]


def read_together(
    model: nn.Module, probes: Sequence[ReadingProbe], indices: Sequence[int] | None = None
) -> list[State]:
    """The states of probes over the same sentences (`may_share`), off one pass a batch.

    Each state is bit for bit what the probe alone gives: the batches, the attention and so the maps
    and states are the same. One layer's maps are held at a time.

    Raises:
        UserError: a probe cannot read this model, or what it reads is no pass of several.
        RuntimeError: the model is in training mode.
    """
    model, words = ready(model), probes[0].words
    check_words_fit(model, words)
    readers = [probe.reader(model) for probe in probes]
    chosen = range(len(words)) if indices is None else indices
    transformer, device = transformer_of(model), device_of(model)
    # A model with attention code of its own may attend otherwise where it reports its maps.
    own_code = not recorded_attention(transformer)
    if len(probes) > 1 and (own_code or len({reader.causal for reader in readers}) > 1):
        raise UserError(f"{type(model).__name__} is read by one probe at a time")
    with torch.no_grad(), ExitStack() as stack:
        if not own_code or _any(readers, "needs_maps"):
            stack.enter_context(eager_attention(transformer))
        masks: Masks = {}
        if _any(readers, "needs_masks"):
            masks = stack.enter_context(attention_masks(transformer))
        for batch, inputs in word_batches(words, chosen, device, causal=readers[0].causal):
            adders = [add for one in readers if (add := one.begin(batch, masks)) is not None]
            output = _passed(transformer, adders, {**inputs, **readers[0].inputs})
            for reader in readers:
                reader.end(batch, output)
    return [reader.state() for reader in readers]


def may_share(probes: Iterable[Probe]) -> list[list[Probe]]:
    """The probes, in groups that one pass serves: those that read the same sentences alike."""
    groups: list[list[Probe]] = []
    for probe in probes:
        group = next((group for group in groups if _alike(group[0], probe)), None)
        if group is None:
            groups.append([probe])
        else:
            group.append(probe)
    return groups


def _alike(one: Probe, other: Probe) -> bool:
    if not isinstance(one, ReadingProbe) or not isinstance(other, ReadingProbe):
        return False
    return (
        torch.equal(one.words.ids, other.words.ids)
        and torch.equal(one.words.lengths, other.words.lengths)
        and one.shares
        and other.shares
    )


def _any(readers: Sequence[Reader], what: str) -> bool:
    return any(getattr(reader, what) for reader in readers)


def _passed(
    transformer: nn.Module, adders: Sequence[Callable[[int, Tensor], None]], inputs: dict[str, Any]
) -> Any:
    if not adders:
        return transformer(**inputs)

    def reduce(layer: int, attention: Tensor) -> None:
        for add in adders:
            add(layer, attention)

    return for_each_layer(transformer, reduce, **inputs)
