"""What the steps of one run's series are called, and that no two are called the same."""

from __future__ import annotations

from hf_grok.runs.epochs import Seen, name_of_step
from hf_grok.series.errors import SeriesError
from hf_grok.series.local.journal import Journal
from hf_grok.series.naming import STEP, RevisionTemplate


class StepNames:
    """step -> the name of its branch, by the template, or by the journal where that alone knows it.

    Args:
        template: names of the branches.
        seen: words or tokens by step, for a template that counts them.
        journal: of the series.
    """

    def __init__(self, template: RevisionTemplate, seen: Seen, journal: Journal) -> None:
        self.template = template
        self._seen, self._journal = seen, journal

    def name(self, step: int) -> str:
        """The name of the branch of a step.

        Raises:
            SeriesError: the template counts what nobody here knows of the step.
            UserError: the step has seen no more than the one before it.
        """
        unit = self.template.field
        if unit == STEP:
            return self.template.revision(step)
        if unit in self._seen:
            return self.template.revision(name_of_step(self._seen[unit], step))
        if (record := self._journal.get(step)) is not None:
            return record.revision
        raise SeriesError(
            f"the template {self.template.text!r} names a step by its {unit}, and how many step "
            f"{step} has seen is not known here: name the series as the run goes on (hf-grok train "
            f"--series, CheckpointSeriesCallback(seen=...)), or by steps"
        )

    def check(self) -> None:
        """Refuse a journal that was kept under another template.

        Raises:
            SeriesError: names the branch that is in it and the one that was asked for.
        """
        for step, record in self._journal.records().items():
            if self.template.field != STEP and self.template.field not in self._seen:
                called = self.template.number(record.revision)
                name = self.template.text if called is None else record.revision
            else:
                name = self.name(step)
            if record.revision != name:
                raise SeriesError(
                    f"{self._journal.path} calls step {step} {record.revision!r}, and the template "
                    f"{self.template.text!r} calls it {name!r}: go on with the first one's"
                )

    def refuse_twice(self, step: int, revision: str) -> None:
        """Refuse a name that another step has.

        Raises:
            SeriesError: names both steps.
        """
        for other, record in self._journal.records().items():
            if other != step and record.revision == revision:
                raise SeriesError(
                    f"the template {self.template.text!r} calls steps {other} and {step} both "
                    f"{revision!r}: a branch holds one step. Expected {self.template.field} that "
                    "grow from each step to the next"
                )
