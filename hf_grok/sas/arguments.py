"""The regulariser's settings, as fields that any TrainingArguments can take over."""

from __future__ import annotations

from dataclasses import dataclass, field

from hf_grok.annotation.scheme import check_scheme
from hf_grok.errors import unknown_name
from hf_grok.sas.options import (
    ALIGNMENTS,
    ARCS,
    ATTENTIONS,
    DIRECTIONS,
    IMPLEMENTATIONS,
    NORMALISATIONS,
    REDUCTIONS,
    PenaltyOptions,
    parse_heads,
    parse_layers,
    parse_relations,
)
from hf_grok.sas.schedule import LambdaSchedule


@dataclass
class SASArguments:
    """loss = LM loss + lambda(step) x R, R = mean over arcs of the greatest attention on the arc.

    Inherit it in front of the arguments of your own: `class MyArguments(SASArguments,
    TheirArguments)`. Without a schedule the regulariser is off and costs nothing.

    Raises:
        UserError: a value outside what is allowed, which is listed.

    Source: Chen et al. 2024 (arXiv 2309.07311); what differs from it says so.
    """

    sas_schedule: str = field(
        default="0:0",
        metadata={
            "help": 'Strength of the regulariser by step: "0:0.1,3000:0" suppresses syntactic '
            'attention for 3,000 steps, "0:-0.1" promotes it, "0:0.1,3000:0.1->0@500" lets go '
            "over 500 steps."
        },
    )
    sas_heads_reduction: str = field(
        default="max",
        metadata={"help": f"How heads are joined: {' or '.join(REDUCTIONS)} (of powers)."},
    )
    sas_heads_power: float = field(
        default=1.0, metadata={"help": "p of the sum reduction, (sum of A^p)^(1/p)."}
    )
    sas_directions: str = field(
        default="both",
        metadata={
            "help": f"{', '.join(DIRECTIONS)}: attention of words to heads, of heads to dependents."
        },
    )
    sas_normalisation: str = field(
        default="arc",
        metadata={
            "help": f"Divide R by what the whole batch holds: {', '.join(NORMALISATIONS)} (by "
            "nothing, as published: lambda then depends on the batch)."
        },
    )
    sas_layers: str = field(default="all", metadata={"help": 'Layers that count, such as "0,2".'})
    sas_heads: str = field(
        default="all",
        metadata={"help": 'Heads that count, in each layer ("0,3") or one ("2.1": layer.head).'},
    )
    sas_relations: str = field(
        default="all", metadata={"help": 'Relations whose arcs count, such as "nsubj,obj".'}
    )
    sas_attention: str = field(
        default="pre_dropout",
        metadata={"help": f"{' or '.join(ATTENTIONS)}; published: post_dropout."},
    )
    sas_arcs: str = field(
        default="syntactic",
        metadata={
            "help": f"{', '.join(ARCS)}: those of the trees, those of random trees with arcs of "
            "the same offsets, R of the first minus R of the second, or that where it is above 0."
        },
    )
    sas_piece_alignment: str = field(
        default="aggregate",
        metadata={
            "help": f"{' or '.join(ALIGNMENTS)}: words attend with all of their tokens or with "
            "the first one."
        },
    )
    sas_implementation: str = field(
        default="auto",
        metadata={
            "help": f"{', '.join(IMPLEMENTATIONS)}: where the attention on arcs is taken from. "
            "auto takes the quickest that fits, and the log says which."
        },
    )

    sas_scheme: str | None = field(
        default=None,
        metadata={"help": 'Annotation scheme of the training arcs, such as "ud" or "clearnlp".'},
    )
    sas_evaluation_scheme: str | None = field(
        default=None,
        metadata={
            "help": "Annotation scheme of the arcs that attention is scored against; that it is "
            "another one is said in the log and on the card."
        },
    )

    def __post_init__(self) -> None:
        for scheme in (self.sas_scheme, self.sas_evaluation_scheme):
            if scheme is not None:
                check_scheme(scheme)
        self.penalty_schedule()
        self.penalty_options()
        if self.sas_implementation not in IMPLEMENTATIONS:
            raise unknown_name("sas_implementation", str(self.sas_implementation), IMPLEMENTATIONS)
        inherited = getattr(super(), "__post_init__", None)
        if inherited is not None:
            inherited()

    def penalty_schedule(self) -> LambdaSchedule:
        """lambda as a function of the step."""
        return LambdaSchedule.parse(self.sas_schedule)

    def penalty_options(self) -> PenaltyOptions:
        """The form of R."""
        return PenaltyOptions(
            reduction=self.sas_heads_reduction,
            power=self.sas_heads_power,
            directions=self.sas_directions,
            normalisation=self.sas_normalisation,
            attention=self.sas_attention,
            arcs=self.sas_arcs,
            alignment=self.sas_piece_alignment,
            layers=parse_layers(self.sas_layers),
            heads=parse_heads(self.sas_heads),
            relations=parse_relations(self.sas_relations),
        )
