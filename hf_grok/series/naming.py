"""Steps and the names of their revisions: step{N}, and what other series call theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hf_grok.series.errors import SeriesError

DEFAULT_TEMPLATE = "step{step}"
_FIELD = "{step}"
# What the Hub takes for a branch and every tool takes for a path: no space, no "..", no end in "/".
_BRANCH = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?")
# Pythia's step1000, OLMo's step1000-tokens4B and stage1-step1000-tokens3B, Trainer's checkpoint-5.
_KNOWN = re.compile(
    r"(?:(?P<stage>stage\d+(?:-ingredient\d+)?)-)?"
    r"(?:step|checkpoint)[-_]?(?P<step>\d+)"
    r"(?:-tokens[\d.]+[KMBT]?)?"
)


@dataclass(frozen=True)
class RevisionTemplate:
    """revision = text with {step} replaced by the step, and back.

    Attributes:
        text: holds `{step}` once and is otherwise a branch's name, as "step{step}".

    Raises:
        SeriesError: another text, or one that would name `main`.
    """

    text: str = DEFAULT_TEMPLATE

    def __post_init__(self) -> None:
        example = self.text.replace(_FIELD, "0")
        good = self.text.count(_FIELD) == 1 and _BRANCH.fullmatch(example)
        if not good or ".." in example or "//" in example or "{" in example:
            raise SeriesError(
                f"revision template {self.text!r}: expected a branch name with {{step}} in it once "
                '(letters, digits and . _ - /), such as "step{step}"'
            )

    def revision(self, step: int) -> str:
        """The name of the branch that holds `step`."""
        return self.text.replace(_FIELD, str(step))

    def step(self, revision: str) -> int | None:
        """The step that a branch of this series holds; None for any other name."""
        before, after = self.text.split(_FIELD)
        if not (revision.startswith(before) and revision.endswith(after)):
            return None
        digits = revision[len(before) : len(revision) - len(after)]
        plain = digits.isascii() and digits.isdigit() and str(int(digits)) == digits
        return int(digits) if plain else None

    def tag(self, step: int) -> str:
        """The name of the tag that pins the branch of `step`."""
        return f"pinned-{self.revision(step)}"


@dataclass(frozen=True, order=True)
class KnownStep:
    """A revision that names its step the way a published series does.

    Attributes:
        stage: "" or the stage of a run in several ("stage1", "stage2-ingredient1").
        step: optimiser step.
    """

    stage: str
    step: int


def known_step(revision: str) -> KnownStep | None:
    """The step in step1000, step-2, stage1-step1000-tokens3B, ...; None for any other name."""
    match = _KNOWN.fullmatch(revision)
    return KnownStep(match["stage"] or "", int(match["step"])) if match else None
