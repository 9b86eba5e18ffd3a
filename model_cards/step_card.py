"""The short card of one step of a series, on its own revision."""

from __future__ import annotations

import dataclasses

from hf_grok.errors import UserError
from hf_grok.metrics import Measure
from hf_grok.model_cards.markdown import environment, tidy
from hf_grok.model_cards.measures import baselines
from hf_grok.model_cards.metadata import step_metadata
from hf_grok.model_cards.preserved import BEGINS, ENDS, join_readme
from hf_grok.model_cards.scrub import scrubbed
from hf_grok.model_cards.series_card import SeriesCard
from hf_grok.runs.step import NamedStep


@dataclasses.dataclass(frozen=True)
class StepCard:
    """One checkpoint, and the series that it belongs to.

    Attributes:
        series: with this step among its steps, and those before it at least.
        step: its number.

    Raises:
        UserError: the series has no such step.
    """

    series: SeriesCard
    step: int

    def __post_init__(self) -> None:
        if self.step not in [facts.step for facts in self.series.steps]:
            known = ", ".join(str(facts.step) for facts in self.series.steps)
            raise UserError(f"the series has no step {self.step}: it has {known}")

    @property
    def facts(self) -> NamedStep:
        """What is known of the step."""
        return next(facts for facts in self.series.steps if facts.step == self.step)

    @property
    def rows(self) -> list[tuple[Measure, float]]:
        """The main numbers that were measured at this step."""
        metrics = self.facts.metrics
        return [
            (number, metrics[number.column])
            for number in self.series.numbers
            if number.column in metrics
        ]

    @property
    def baselines(self) -> dict[str, float]:
        """Column of a number shown -> what a score without structure gets at this step."""
        shown = [number for number, _ in self.rows]
        return {number.column: value for number, value in baselines(shown, self.facts.metrics)}

    def render(self) -> str:
        """The whole README of the step's revision; the same for the same card."""
        clean = scrubbed(self)
        template = environment().get_template("step_card.md.jinja")
        body = template.render(
            card=clean, series=clean.series, facts=clean.facts, begins=BEGINS, ends=ENDS
        )
        return join_readme(step_metadata(clean.series), tidy(body))
