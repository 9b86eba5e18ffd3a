"""Whether a run has learnt its language: until then it says nothing of the rule that it follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hf_grok.dynamics.columns import curve
from hf_grok.dynamics.curves import first_crossing
from hf_grok.dynamics.delay import SATURATION
from hf_grok.metrics import EXACT_MATCH, IN_DISTRIBUTION

if TYPE_CHECKING:
    import pandas

# Of the lines in distribution, at the last evaluation. Runs that were looked at lie at .95 and
# above, or at .51 and below (docs/results.md).
WHOLE = 0.9


@dataclass(frozen=True)
class Learning:
    """How far a run came with the language that it was trained on.

    Accuracy is that of the one word that tells the rules apart, such as a question's first. A model
    can have that word right and not what follows it: `whole` tells.

    Attributes:
        step: at which accuracy in distribution first was .99; None where it never was, 0 where it
            was not measured, so that nothing is known against the run.
        whole: share of the lines in distribution that it writes whole at its last evaluation; None
            where that was not measured.
    """

    step: float | None
    whole: float | None

    @property
    def in_part(self) -> bool:
        """At .99 in distribution, and writes fewer than .9 of the lines whole."""
        return self.step is not None and self.whole is not None and self.whole < WHOLE

    @property
    def learnt(self) -> bool:
        """At .99 in distribution, and writes .9 of the lines whole or was not asked to."""
        return self.step is not None and not self.in_part

    def before(self, step: float) -> bool:
        """Whether a step lies before accuracy in distribution was at .99."""
        return self.step is None or step < self.step


def learning_of(evaluations: pandas.DataFrame) -> Learning:
    """How far a run came, from its evaluations by step.

    Raises:
        UserError: as `curve`, but for columns that were not measured.
    """
    whole = None
    if _measured(evaluations, EXACT_MATCH):
        _, written = curve(evaluations, EXACT_MATCH)
        whole = float(written[-1])
    return Learning(_step(evaluations), whole)


def _step(evaluations: pandas.DataFrame) -> float | None:
    if not _measured(evaluations, IN_DISTRIBUTION):
        return 0.0
    learnt = first_crossing(*curve(evaluations, IN_DISTRIBUTION), SATURATION)
    return None if learnt is None else float(learnt.step)


def _measured(evaluations: pandas.DataFrame, column: str) -> bool:
    return column in evaluations and bool(evaluations[column].notna().any())
