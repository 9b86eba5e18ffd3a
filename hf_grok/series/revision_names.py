"""Which branches and tags of a repository are steps of a series, whoever made it.

What a name counts is said with it: Pythia's step1000 and Megatron's iter_0010000 count optimiser
steps, BabyLM's chck_1M words, tokens-4B tokens, ckpt_000 checkpoints, epoch-3 passes over the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hf_grok.errors import UserError
from hf_grok.runs.epochs import parse_amount
from hf_grok.series.naming import MAIN, STEP, RevisionTemplate, pinned
from hf_grok.text.printable import listed, quoted

STEPS = "steps"
_UNIT_OF = {STEP: STEPS}
_SHOWN = 80  # characters of names

_STAGE = (
    r"(?:(?:stage|phase|part|run|seed|ingredient)[-_]?\d+|lc-\d+k-to-\d+k|pre-?train(?:ing)?|"
    r"mid-?train(?:ing)?|anneal(?:ing)?|cool-?down|decay|warm-?up|long[-_]?context|sft|dpo)"
)
_BEFORE = rf"(?:(?P<stage>{_STAGE}(?:[-_]{_STAGE})*)[-_])?"
# What may follow a step: the tokens read by then (tokens4B, 2BT, 105b), litgpt's -ckpt, the seed.
_READ = r"(?:[-_](?:tokens?[-_]?\d[\d.]*[KMBT]?|\d[\d.]*[KMBT]T?(?:[-_]?tokens?)?))?"
_AFTER = rf"{_READ}(?:[-_]ckpt)?(?:[-_](?P<seed>seed[-_][a-z0-9-]+))?"
_SCALED = r"(?P<number>\d[\d.]*[KMBT])"
_COUNT = r"(?P<number>\d[\d.]*[KMBT]?)"
_NAMES = tuple(
    (re.compile(_BEFORE + pattern, re.IGNORECASE), unit)
    for pattern, unit in (
        (rf"(?:global[-_]?)?(?:step|iter|iteration|update)[-_]?{_COUNT}{_AFTER}", STEPS),
        (rf"checkpoint[-_]?(?P<number>\d+){_AFTER}", STEPS),  # Trainer's own
        (rf"chck[-_]?{_SCALED}", "words"),  # BabyLM's
        (rf"(?:words?[-_]?{_COUNT}|(?P<count>\d[\d.]*[KMBT]?)[-_]?words?)", "words"),
        (rf"(?:tokens?[-_]?{_COUNT}|(?P<count>\d[\d.]*[KMBT]?)[-_]?tokens?)", "tokens"),
        (r"(?P<number>\d[\d.]*[KMBT])T", "tokens"),
        (r"(?:ckpt|chck|chkpt)[-_]?(?P<number>\d+)", "checkpoints"),
        (r"epoch[-_]?(?P<number>\d+)", "epochs"),
    )
)


@dataclass(frozen=True, order=True)
class KnownStep:
    """A revision that names its place in a series.

    Attributes:
        stage: "" or the part of a series in several ("stage1", "stage2-ingredient1", "seed-1").
        step: the number in the name, in `unit`.
        unit: what it counts; "steps" are the optimiser's.
    """

    stage: str
    step: int
    unit: str = STEPS


@dataclass(frozen=True)
class Names:
    """The names of a repository, told apart.

    Attributes:
        steps: name -> place in the series, in order.
        left_out: the others, `main` not among them.
    """

    steps: Mapping[str, KnownStep]
    left_out: tuple[str, ...]

    def what_is_left_out(self) -> str | None:
        """A sentence on the names that say no step; None where all do."""
        if not self.left_out:
            return None
        return (
            f"{len(self.left_out)} of {len(self.left_out) + len(self.steps)} branches and tags are "
            f"left out, since their names say no step: {listed(self.left_out, _SHOWN)}; "
            "--revisions REGEX, with one group for the step, reads other names"
        )


class NameReader:
    r"""Tells steps by their names.

    Args:
        template: of a series of ours, whose index says it.
        pattern: a regular expression for whole names, with one group for the step, as
            "run-(\d+)-ema"; it goes before everything else.

    Raises:
        UserError: no regular expression; no group in it, or several.
    """

    def __init__(
        self, template: RevisionTemplate | None = None, pattern: str | None = None
    ) -> None:
        self._template = template
        self._pattern = None if pattern is None else _compiled(pattern)

    def step(self, name: str) -> KnownStep | None:
        """The place that a name says; None where it says none.

        Raises:
            UserError: the pattern's group holds no number.
        """
        if self._pattern is not None:
            return self._by_pattern(self._pattern, name)
        if self._template is not None:
            number, unit = self._template.number(name), self._template.field
            return None if number is None else KnownStep("", number, _UNIT_OF.get(unit, unit))
        return known_step(name)

    def read(self, names: Iterable[str]) -> Names:
        """All names of a repository, in the order of the steps.

        Raises:
            UserError: as `step`.
        """
        every = list(dict.fromkeys(names))
        found = {name: step for name in every if (step := self.step(name)) is not None}
        ordered = sorted(found, key=lambda name: (found[name].unit != STEPS, found[name], name))
        others = [n for n in every if n not in found and n != MAIN and not self._is_pin(n)]
        return Names({name: found[name] for name in ordered}, tuple(sorted(others)))

    def _is_pin(self, name: str) -> bool:
        """Whether a tag of ours pins a step, and so is nothing to tell of."""
        branch = pinned(name)
        return branch is not None and self.step(branch) is not None

    def _by_pattern(self, pattern: re.Pattern[str], name: str) -> KnownStep | None:
        match = pattern.fullmatch(name)
        if match is None:
            return None
        number = None if match[1] is None else parse_amount(match[1])
        if number is None:
            raise UserError(
                f"--revisions {pattern.pattern}: its group is {quoted(match[1])} in "
                f"{quoted(name)}, and was expected to be a number, as in step-(\\d+)-ema"
            )
        return KnownStep("", number)


def known_step(revision: str) -> KnownStep | None:
    """The place in a name such as published series have; None for any other name.

    step1000, step-001000-2BT, step-50K-105b, stage1-step1000-tokens3B, lc-4k-to-32k-step-4000,
    step1250-seed-default, checkpoint-5, global_step1000, iter_0010000: optimiser steps. chck_1M:
    words. tokens-4B, 2BT: tokens. ckpt_000: checkpoints. epoch-3: epochs.
    """
    for pattern, unit in _NAMES:
        if match := pattern.fullmatch(revision):
            groups = match.groupdict()
            number = parse_amount(groups["number"] or groups.get("count") or "")
            stage = "-".join(filter(None, (groups["stage"], groups.get("seed"))))
            return None if number is None else KnownStep(stage, number, unit)
    return None


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        found = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise UserError(f"--revisions {pattern}: no regular expression ({error})") from None
    if found.groups != 1:
        raise UserError(
            f"--revisions {pattern}: expected one group, around the step, as in step-(\\d+)-ema; "
            f"it has {found.groups} (write (?:...) for one that is only there to hold together)"
        )
    return found
