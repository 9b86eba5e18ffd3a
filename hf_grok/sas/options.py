"""What the regulariser acts on: which arcs, directions, layers and heads, and how they are summed.

Every value is checked here once, and a wrong one is named with what is allowed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hf_grok.errors import UserError, unknown_name

REDUCTIONS = ("max", "sum")
DIRECTIONS = ("both", "head", "children")
NORMALISATIONS = ("arc", "token", "sum")
ATTENTIONS = ("pre_dropout", "post_dropout")
CONTRAST, CLAMPED = CONTRASTS = ("contrast", "contrast-clamped")
ARCS = ("syntactic", "sham", *CONTRASTS)
ALIGNMENTS = ("aggregate", "first")
IMPLEMENTATIONS = ("auto", "fused", "batched", "eager")
ALL = "all"


@dataclass(frozen=True)
class PenaltyOptions:
    """The form of R, apart from its strength.

    Attributes:
        reduction: "max" over the chosen heads of all layers, or "sum" of powers.
        power: p of the "sum" reduction, (sum of A^p)^(1/p); 1 or more.
        directions: "head" (a word's attention to its head), "children" (a head's to its
            dependents), or "both".
        normalisation: R is divided by the arcs ("arc") or the tokens ("token") of the whole
            batch, over accumulation and processes; "sum" divides by nothing.
        attention: before or after dropout.
        arcs: "syntactic", "sham" (a random tree of each sentence), "contrast" (the difference) or
            "contrast-clamped" (the difference where it is above 0, else 0).
        alignment: words of several tokens by summing over the attended and averaging over the
            attending tokens ("aggregate"), or by their first tokens ("first").
        layers: chosen layers; None for all.
        heads: chosen (layer, head), layer None for "in each layer"; None for all.
        relations: names of the relations whose arcs count; None for all.
    """

    reduction: str = "max"
    power: float = 1.0
    directions: str = "both"
    normalisation: str = "arc"
    attention: str = "pre_dropout"
    arcs: str = "syntactic"
    alignment: str = "aggregate"
    layers: tuple[int, ...] | None = None
    heads: tuple[tuple[int | None, int], ...] | None = None
    relations: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name, allowed in (
            ("reduction", REDUCTIONS),
            ("directions", DIRECTIONS),
            ("normalisation", NORMALISATIONS),
            ("attention", ATTENTIONS),
            ("arcs", ARCS),
            ("alignment", ALIGNMENTS),
        ):
            if getattr(self, name) not in allowed:
                raise unknown_name(f"value of {name}", str(getattr(self, name)), allowed)
        if not (math.isfinite(self.power) and self.power >= 1):
            raise UserError(
                f"power={self.power}: expected a finite number from 1 on (below 1 the gradient at "
                "an attention of 0 is infinite)"
            )

    @property
    def is_contrast(self) -> bool:
        """Whether R of the sham arcs is taken from R of the syntactic ones."""
        return self.arcs in CONTRASTS

    def chosen(self, layers: int, heads: int) -> list[tuple[int, int]]:
        """The (layer, head) that count, of a model with so many.

        Raises:
            UserError: a layer or a head that the model does not have.
        """
        self._check_layers(layers)
        self._check_heads(layers, heads)
        wanted = range(layers) if self.layers is None else self.layers
        return [
            (layer, head)
            for layer in wanted
            for head in range(heads)
            if self.heads is None or (layer, head) in self.heads or (None, head) in self.heads
        ]

    def _check_layers(self, layers: int) -> None:
        for layer in self.layers or ():
            if layer >= layers:
                raise UserError(
                    f"sas_layers names layer {layer}: the model has {layers}, 0 to {layers - 1}"
                )

    def _check_heads(self, layers: int, heads: int) -> None:
        chosen_layers = range(layers) if self.layers is None else self.layers
        for layer, head in self.heads or ():
            if head >= heads:
                raise UserError(
                    f"sas_heads names head {head}: each layer has {heads}, 0 to {heads - 1}"
                )
            if layer is not None and layer not in chosen_layers:
                raise UserError(
                    f"sas_heads names {layer}.{head}: expected one of the chosen layers, "
                    f"{', '.join(map(str, chosen_layers))}"
                )


def parse_layers(text: str) -> tuple[int, ...] | None:
    """Read "all" or layers such as "0,2".

    Raises:
        UserError: anything else, or a layer twice.
    """
    if text == ALL:
        return None
    return tuple(_number(word, "sas_layers", text) for word in _words(text, "sas_layers"))


def parse_heads(text: str) -> tuple[tuple[int | None, int], ...] | None:
    """Read "all", heads of every layer ("0,3"), or heads of one layer ("2.1": layer 2, head 1).

    Raises:
        UserError: anything else, or a head twice.
    """
    if text == ALL:
        return None
    found: list[tuple[int | None, int]] = []
    for word in _words(text, "sas_heads"):
        layer, dot, head = word.rpartition(".")
        found.append(
            (
                _number(layer, "sas_heads", text) if dot else None,
                _number(head, "sas_heads", text),
            )
        )
    return tuple(found)


def parse_relations(text: str) -> tuple[str, ...] | None:
    """Read "all" or names of relations such as "nsubj,obj,acl:relcl".

    Raises:
        UserError: an empty name, or a name twice.
    """
    return None if text == ALL else _words(text, "sas_relations")


def _words(text: str, name: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in str(text).split(","))
    if "" in words:
        raise UserError(f'{name}={text!r}: expected "{ALL}" or names with commas between them')
    _refuse_twice(words, name, text)
    return words


def _refuse_twice(words: Sequence[str], name: str, text: str) -> None:
    if len(set(words)) < len(words):
        raise UserError(f"{name}={text!r}: name each once")


def _number(word: str, name: str, text: str) -> int:
    if not word.isdecimal():
        raise UserError(
            f'{name}={text!r}: {word!r} is no number from 0 on; expected "{ALL}" or numbers with '
            "commas between them"
        )
    return int(word)
