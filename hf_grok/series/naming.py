"""Steps and the names of their revisions: ours; `revision_names` has what others call theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hf_grok.runs.epochs import UNITS, amount_text, parse_amount
from hf_grok.series.errors import SeriesError

MAIN = "main"
DEFAULT_TEMPLATE = "step{step}"
STEP = "step"
FIELDS = (STEP, *UNITS)
_PIN = "pinned-"
# What the Hub takes for a branch and every tool takes for a path: no space, no "..", no end in "/".
_BRANCH = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class RevisionTemplate:
    """revision = text with {step}, {words} or {tokens} replaced by the number, and back.

    Attributes:
        text: holds one field once and is otherwise a branch's name, as "step{step}" (step1000) or
            "chck_{words}" (chck_10M; the BabyLM challenge's names).

    Raises:
        SeriesError: another text, or one that would name `main`.
    """

    text: str = DEFAULT_TEMPLATE

    def __post_init__(self) -> None:
        there = [name for name in FIELDS if "{" + name + "}" in self.text]
        example = self.text.replace("{" + there[0] + "}", "0") if len(there) == 1 else ""
        once = len(there) == 1 and self.text.count("{" + there[0] + "}") == 1
        good = once and _BRANCH.fullmatch(example)
        if not good or ".." in example or "//" in example or "{" in example:
            raise SeriesError(
                f"revision template {self.text!r}: expected a branch name with {{step}}, {{words}} "
                "or {tokens} in it once (letters, digits and . _ - /), such as "
                '"step{step}" or "chck_{words}"'
            )

    @property
    def field(self) -> str:
        """What the names count: "step", "words" or "tokens"."""
        return next(name for name in FIELDS if "{" + name + "}" in self.text)

    def revision(self, number: int) -> str:
        """The name of the branch that holds a step: its number, or the amount it is called by."""
        text = str(number) if self.field == STEP else amount_text(number)
        return self.text.replace("{" + self.field + "}", text)

    def number(self, revision: str) -> int | None:
        """The step, or the amount, of a branch of this series; None for any other name."""
        before, after = self.text.split("{" + self.field + "}")
        if not (revision.startswith(before) and revision.endswith(after)):
            return None
        text = revision[len(before) : len(revision) - len(after)]
        if self.field == STEP:
            plain = text.isascii() and text.isdigit() and str(int(text)) == text
            return int(text) if plain else None
        amount = parse_amount(text)
        return amount if amount is not None and amount_text(amount) == text else None

    def step(self, revision: str) -> int | None:
        """The step that a branch of this series holds; None for any other name.

        None for names that count words or tokens, too: which step it is, the index says.
        """
        return self.number(revision) if self.field == STEP else None

    def tag(self, number: int) -> str:
        """The name of the tag that pins the branch of a step."""
        return pin_of(self.revision(number))


def pin_of(revision: str) -> str:
    """The name of the tag that pins a branch."""
    return f"{_PIN}{revision}"


def pinned(tag: str) -> str | None:
    """The branch that a tag pins by its name; None for any other tag."""
    return tag.removeprefix(_PIN) if tag.startswith(_PIN) else None
