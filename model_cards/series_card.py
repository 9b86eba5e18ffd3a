"""The card of a checkpoint series, on `main`: what was trained, how, at what cost, step by step."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from hf_grok.errors import UserError
from hf_grok.metrics import Measure, Metric
from hf_grok.model_cards.facts import (
    AnnotationFacts,
    CostFacts,
    DataFacts,
    Figure,
    ModelFacts,
    RegulariserFacts,
    TrainingFacts,
)
from hf_grok.model_cards.hardware import duration, operations
from hf_grok.model_cards.markdown import environment, tidy
from hf_grok.model_cards.measures import baselines, main_numbers
from hf_grok.model_cards.metadata import series_metadata
from hf_grok.model_cards.papers import CHEN_2024, HF_GROK, Paper
from hf_grok.model_cards.preserved import BEGINS, ENDS, join_readme
from hf_grok.model_cards.scrub import scrubbed
from hf_grok.model_cards.validation import check_repository
from hf_grok.runs.step import NamedStep

HUB = "https://huggingface.co"
PLACE = "REPO"
"""What stands in a card for the repository's name, where none is known yet."""
SHOWN_ROWS = 40
"""A longer table of steps is folded away."""


@dataclasses.dataclass(frozen=True)
class SeriesCard:
    """Everything the template needs; see `hf_grok.model_cards.facts` for the parts.

    Attributes:
        title: the heading, and the model's name in the metadata.
        model: what was trained.
        data: what on.
        training: how.
        cost: at what cost.
        steps: the checkpoints, by step; at least one.
        repo_id: of the Hub; None while nothing is pushed.
        main_revision: the step that `main` holds, which is the last one.
        regulariser: None for a run without one.
        annotation: whose trees the arcs are, where any were used.
        parent: the run that this one was branched from: what -> value.
        figures: pictures in the repository.
        licence: as the Hub names it; None: nobody gave one.
        limitations: what a reader must not conclude, beside what every series says.
        papers: to cite, beside this package and what the language and the regulariser cite.
        endpoint: of the Hub, for links.
        metrics: number of a probe of another package -> what the probe declares of it.

    Raises:
        UserError: no steps, or two of the same number; a repository's name that cannot be one.
    """

    title: str
    model: ModelFacts
    data: DataFacts
    training: TrainingFacts
    steps: Sequence[NamedStep]
    cost: CostFacts = dataclasses.field(default_factory=CostFacts)
    repo_id: str | None = None
    regulariser: RegulariserFacts | None = None
    annotation: AnnotationFacts = dataclasses.field(default_factory=AnnotationFacts)
    parent: dict[str, Any] = dataclasses.field(default_factory=dict)
    figures: Sequence[Figure] = ()
    licence: str | None = None
    limitations: Sequence[str] = ()
    papers: Sequence[Paper] = ()
    endpoint: str = HUB
    metrics: Mapping[str, Metric] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        numbers = [step.step for step in self.steps]
        if not numbers or len(set(numbers)) != len(numbers):
            raise UserError(
                f"a series' card needs its steps, each once; got {sorted(numbers) or 'none'}"
            )
        # They stand in commands that strangers copy.
        for name in (self.repo_id, self.model.base_model, self.data.hub_id):
            if name is not None:
                check_repository(name)
        object.__setattr__(self, "steps", sorted(self.steps, key=lambda step: step.step))

    @property
    def last(self) -> NamedStep:
        """The last step, which `main` holds."""
        return self.steps[-1]

    @property
    def place(self) -> str:
        """The repository's name in commands."""
        return self.repo_id or PLACE

    @property
    def example(self) -> NamedStep:
        """The step that the examples load: one in the middle."""
        return self.steps[len(self.steps) // 2]

    @property
    def data_title(self) -> str:
        """The data set in words."""
        known = self.data.language.title if self.data.language else self.data.name
        return known or self.data.described or "data that was not recorded"

    @property
    def numbers(self) -> list[Measure]:
        """The columns of the table of steps."""
        return main_numbers(self.steps, self.metrics)

    @property
    def baselines(self) -> list[tuple[Measure, float]]:
        """What scores without structure get, at the last step."""
        return baselines(self.numbers, self.last.metrics)

    @property
    def long(self) -> bool:
        """Whether the table of steps is folded away."""
        return len(self.steps) > SHOWN_ROWS

    @property
    def has_tokens(self) -> bool:
        """Whether tokens were counted; that there were none at step 0 is always known."""
        return any(step.tokens_seen for step in self.steps)

    @property
    def has_gaps(self) -> bool:
        """Whether the table has a place without a value."""
        return any(
            number.column not in step.metrics for number in self.numbers for step in self.steps
        )

    @property
    def cited(self) -> list[Paper]:
        """This package and every paper whose definitions the run used, each once."""
        language = self.data.language.papers if self.data.language else ()
        penalty = (CHEN_2024,) if self.regulariser else ()
        return list(dict.fromkeys((HF_GROK, *language, *penalty, *self.papers)))

    def link(self, step: NamedStep) -> str:
        """Where a step is on the Hub; "" while there is no repository."""
        return f"{self.endpoint}/{self.repo_id}/tree/{step.revision}" if self.repo_id else ""

    def load_lines(self, step: NamedStep) -> str:
        """Python that loads a step."""
        auto, code = self.model.task.auto_class, self.model.code_file
        trust = ", trust_remote_code=True" if code else ""
        carried = [f"# The model's class is in {code}: read it before you let it run.", ""]
        ours = ["import hf_grok.models  # of hf-grok, which knows the model's type", ""]
        return "\n".join(
            [
                *(ours if self.model.needs_hf_grok else []),
                *(carried if code else []),
                f"from transformers import {auto}, AutoTokenizer",
                "",
                f"repo, step = {quoted(self.place)}, {quoted(step.revision)}",
                f"model = {auto}.from_pretrained(repo, revision=step{trust})",
                "tokenizer = AutoTokenizer.from_pretrained(repo, revision=step)",
            ]
        )

    def cost_rows(self) -> list[tuple[str, str]]:
        """What the run cost, each in words; what is not known says so."""
        cost = self.cost
        processes = "" if cost.processes in (None, 1) else f", {cost.processes} processes"
        return [
            ("wall time", duration(cost.seconds)),
            ("operations", operations(cost.flos)),
            ("hardware", (cost.hardware or "not recorded") + processes),
            ("energy, emissions", "not measured"),
        ]

    def training_status(self) -> str:
        """How far the run went, in a sentence."""
        training = self.training
        step = self.last.step if training.step is None else training.step
        planned = "" if training.max_steps is None else f" of {training.max_steps:,} planned"
        span = (training.started, training.finished)
        when = ", {} to {} (UTC)".format(*map(_minute, span)) if all(span) else ""
        began = {"failed": "Stopped by an error at", "running": "Still training: at"}
        return f"{began.get(training.status or '', 'Trained to')} step {step:,}{planned}{when}."

    def render(self) -> str:
        """The whole README; the same for the same card."""
        clean = scrubbed(self)
        template = environment().get_template("series_card.md.jinja")
        body = template.render(card=clean, begins=BEGINS, ends=ENDS, json=as_text)
        return join_readme(series_metadata(clean), tidy(body))


def _minute(time: str | None) -> str:
    """2026-11-25T08:51:09+00:00 -> 2026-11-25 08:51."""
    return str(time)[:16].replace("T", " ")


def as_text(value: Any) -> str:
    """A setting as one reads it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def quoted(text: str) -> str:
    """A text as a literal of Python, in double quotes."""
    return json.dumps(text, ensure_ascii=False)
