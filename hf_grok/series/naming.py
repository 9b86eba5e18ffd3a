"""Steps and the names of their revisions: ours; `revision_names` has what others call theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hf_grok.series.errors import SeriesError

MAIN = "main"
DEFAULT_TEMPLATE = "step{step}"
_FIELD = "{step}"
_PIN = "pinned-"
# What the Hub takes for a branch and every tool takes for a path: no space, no "..", no end in "/".
_BRANCH = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?")


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
        return pin_of(self.revision(step))


def pin_of(revision: str) -> str:
    """The name of the tag that pins a branch."""
    return f"{_PIN}{revision}"


def pinned(tag: str) -> str | None:
    """The branch that a tag pins by its name; None for any other tag."""
    return tag.removeprefix(_PIN) if tag.startswith(_PIN) else None
