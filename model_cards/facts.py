"""What the cards of a series say, as plain values: no model, tensor or run is needed to fill them.

None means "not known" everywhere, and the card says so.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hf_grok.errors import UserError
from hf_grok.model_cards.languages import LanguageFacts
from hf_grok.runs.step import NamedStep


@dataclass(frozen=True)
class Task:
    """What a class of models does, in the Hub's words.

    Attributes:
        auto_class: of transformers, that loads such a model.
        pipeline_tag: of the Hub; None for models that fit none.
        words: what it does, for readers.
    """

    auto_class: str
    pipeline_tag: str | None
    words: str


_TASKS = {
    "ForCausalLM": Task("AutoModelForCausalLM", "text-generation", "causal language modelling"),
    "LMHeadModel": Task("AutoModelForCausalLM", "text-generation", "causal language modelling"),
    "ForMaskedLM": Task("AutoModelForMaskedLM", "fill-mask", "masked language modelling"),
    "ForSequenceClassification": Task(
        "AutoModelForSequenceClassification", "text-classification", "classification of texts"
    ),
    "ForTokenClassification": Task(
        "AutoModelForTokenClassification", "token-classification", "classification of tokens"
    ),
}
_ENCODER = Task("AutoModel", None, "hidden states, without a head")


def task_of(architecture: str) -> Task:
    """The task of a model class of transformers, by the end of its name."""
    return next((task for end, task in _TASKS.items() if architecture.endswith(end)), _ENCODER)


@dataclass(frozen=True)
class ModelFacts:
    """The model that was trained.

    Attributes:
        architecture: its class ("GPT2LMHeadModel").
        model_type: as transformers names it ("gpt2").
        shape: field of its configuration -> value: layers, width, heads, ...
        parameters: number of them.
        needs_hf_grok: its Auto classes know it only once `hf_grok.models` is imported.
        code_file: file in the repository that holds its class; None where it carries no code.
        base_model: the Hub repository whose weights it began with.
        from_scratch: it began with random weights; None where that is not known.
    """

    architecture: str | None = None
    model_type: str | None = None
    shape: Mapping[str, Any] = field(default_factory=dict)
    parameters: int | None = None
    needs_hf_grok: bool = False
    code_file: str | None = None
    base_model: str | None = None
    from_scratch: bool | None = None

    @property
    def task(self) -> Task:
        """What it does."""
        return task_of(self.architecture or "")


@dataclass(frozen=True)
class DataFacts:
    """What the model was trained on, and measured on.

    Attributes:
        name: of the data set, in words or as `hf-grok data` names it; "" where it is not known.
        config: of the data set.
        options: changed fields of that configuration, the seed among them.
        command: the shell command that makes the same data.
        hub_id: its repository on the Hub.
        fingerprint: of the training split, as `datasets` computes it.
        train_examples: rows of the training split.
        evaluation: field of the run's settings -> what was evaluated.
        language: what is known of it, where it is a language of this package.
        split: of it, as `datasets` names splits.
        described: what it is, in words, where it has no name.
    """

    name: str = ""
    config: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    command: str | None = None
    hub_id: str | None = None
    fingerprint: str | None = None
    train_examples: int | None = None
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    language: LanguageFacts | None = None
    split: str | None = None
    described: str = ""


@dataclass(frozen=True)
class TrainingFacts:
    """How it was trained.

    Attributes:
        recipe: its name and scale, "" where there was none.
        settings: every hyper-parameter that is not at its default; None: not recorded.
        chosen: what the machine settled: precision, attention, ...
        seeds: what each draws -> seed.
        versions: package -> version of the stack.
        status: "finished", "failed" or "running"; None where nobody wrote it down.
        step: the last one trained.
        max_steps: the last one planned.
        started: UTC time, ISO 8601.
        finished: the same.
    """

    recipe: str = ""
    settings: Mapping[str, Any] | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    status: str | None = None
    step: int | None = None
    max_steps: int | None = None
    started: str | None = None
    finished: str | None = None


@dataclass(frozen=True)
class CostFacts:
    """What it cost, as far as Trainer knows.

    Attributes:
        seconds: of wall time, evaluations and saving included.
        flos: floating point operations, as Trainer estimates them.
        hardware: in words, without a host's name.
        processes: that trained together.
    """

    seconds: float | None = None
    flos: float | None = None
    hardware: str | None = None
    processes: int | None = None


@dataclass(frozen=True)
class RegulariserFacts:
    """The penalty on syntactic attention, L = L_LM + lambda(t) R.

    Attributes:
        settings: `sas_` field -> value.
    """

    settings: Mapping[str, Any]


@dataclass(frozen=True)
class AnnotationFacts:
    """Whose trees the arcs are: those trained with and those measured on."""

    training: str | None = None
    evaluation: str | None = None

    @property
    def differ(self) -> bool:
        """Whether both are known and are not the same."""
        return None not in (self.training, self.evaluation) and self.training != self.evaluation


def StepFacts(  # noqa: N802
    step: int,
    revision: str,
    metrics: Mapping[str, float] | None = None,
    penalty_weight: float | None = None,
    tokens_seen: int | None = None,
) -> NamedStep:
    """The old name of `NamedStep`, whose `lambda_` it called `penalty_weight`."""
    warnings.warn(
        "hf_grok.model_cards.StepFacts is now NamedStep, and its penalty_weight is lambda_: the "
        "old name will go in the next release",
        FutureWarning,
        stacklevel=2,
    )
    return NamedStep(
        step, revision, lambda_=penalty_weight, tokens_seen=tokens_seen, metrics=metrics or {}
    )


@dataclass(frozen=True)
class Figure:
    """A picture in the repository: its path there, relative, and what it shows.

    Raises:
        UserError: the path is absolute or leads out of the repository.
    """

    path: str
    caption: str

    def __post_init__(self) -> None:
        parts = self.path.replace("\\", "/").split("/")
        if not self.path or parts[0] in ("", "~") or ":" in self.path or ".." in parts:
            raise UserError(
                f"figure {self.path!r}: expected a path inside the repository, such as "
                "'figures/accuracy.png'"
            )
