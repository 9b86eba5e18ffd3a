"""A comparison of arms as plain text: a table, then a sentence an arm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hf_grok.metrics import GENERALIZATION
from hf_grok.report.sweep.compare import ArmContrast, ArmNumbers

_SURE = 0.05


def comparison_text(
    arms: Sequence[ArmNumbers], contrasts: Sequence[ArmContrast], metric: str, level: str
) -> str:
    """The page that `hf-grok compare` prints.

    Args:
        arms: the first is what the others are compared with.
        contrasts: of each of the others.
        metric: its column.
        level: what is reached, in words, such as ">= 0.8 at 2 evaluations in a row".
    """
    width = max(len("arm"), *(len(arm.name) for arm in arms))
    head = f"{'arm':<{width}}  {'arrived':>9}  {'fraction, 95 %':<20}{'median':>9}  "
    head += f"{'mean step, 95 %':<25}{'last quarter: mean, range':<28}two modes"
    lines = [f"{metric} {level}; times are censored at the end of a run", "", head]
    lines += [_row(arm, width) for arm in arms]
    if contrasts:
        lines += ["", f"against {arms[0].name}:"]
        pairs = zip(arms[1:], contrasts, strict=True)
        lines += [f"  {_sentence(arms[0], arm, found)}" for arm, found in pairs]
    if metric.startswith(GENERALIZATION):
        lines += _note(_UNLEARNT, [(arm, arm.unlearnt) for arm in arms])
        lines += _note(_IN_PART, [(arm, arm.in_part) for arm in arms])
        lines += _note(_EARLY, [(arm, arm.early) for arm in arms])
    lines += ["", *_NOTES]
    return "\n".join(lines)


_UNLEARNT = (
    "never at .99 in distribution: {}. What such a seed does out of",
    "distribution does not say which rule it follows: train it for longer, or otherwise (deep",
    "models: a longer warm-up, a lower rate), before it counts for or against an arm.",
)
_IN_PART = (
    "right at the scored word, and fewer than .9 of the lines written whole: {}.",
    "The language is not learnt yet: see the loss, and in_distribution_exact_match.",
)
_EARLY = (
    "arrived before .99 in distribution: {}. Where two answers are",
    "possible, a model that has not learnt its language crosses a level near .5 by chance.",
)
_NOTES = (
    "mean step: of min(arrival, the shortest run's end). Intervals of fractions and mean steps",
    "hold for few seeds too, and are wide; of paired differences Student's. p: log-rank by",
    "permutation, Fisher's exact test, Wilcoxon's signed ranks; two modes: p of Hartigans' dip.",
    "No p is corrected for how many arms there are.",
)


def _note(lines: Sequence[str], named: Iterable[tuple[ArmNumbers, Sequence[int]]]) -> list[str]:
    """The lines about seeds that are named, with how many they are in each arm; none for none."""
    counts = ", ".join(
        f"{len(seeds)} of {arm.arrived.seeds} seeds of {arm.name}" for arm, seeds in named if seeds
    )
    return ["", lines[0].format(counts), *lines[1:]] if counts else []


def _row(arm: ArmNumbers, width: int) -> str:
    count = f"{arm.arrived.count} of {arm.arrived.seeds}"
    interval = f"{arm.arrived.value:.2f} [{arm.arrived.low:.2f}, {arm.arrived.high:.2f}]"
    median = "never" if arm.median_step is None else f"{arm.median_step:,.0f}"
    step = arm.mean_step
    mean = f"{step.mean:,.0f} [{step.low:,.0f}, {step.high:,.0f}]"
    values = list(arm.last_quarter.values())
    quarter = f"{sum(values) / len(values):.3f} [{min(values):.3f}, {max(values):.3f}]"
    modes = "too few seeds" if arm.modes is None else f"p {_p(arm.modes.p)}"
    return (
        f"{arm.name:<{width}}  {count:>9}  {interval:<20}{median:>9}  "
        f"{mean:<25}{quarter:<28}{modes}"
    )


def _sentence(first: ArmNumbers, arm: ArmNumbers, found: ArmContrast) -> str:
    parts = [
        f"{arm.arrived.count} of {arm.arrived.seeds} seeds arrived against "
        f"{first.arrived.count} of {first.arrived.seeds} (p {_p(found.fisher)})",
        _times(first, arm, found),
        _quarter(found),
    ]
    return f"{arm.name}: {'; '.join(part for part in parts if part)}"


def _times(first: ArmNumbers, arm: ArmNumbers, found: ArmContrast) -> str:
    if found.times is None:
        arrived = first.arrived.count or arm.arrived.count
        return "too few seeds to say when" if arrived else "no seed of either arrived"
    if found.times.p > _SURE:
        return f"when they arrive cannot be told apart (p {_p(found.times.p)})"
    when = "later" if found.times.statistic > 0 else "earlier"
    return f"it arrives {when} (p {_p(found.times.p)})"


def _quarter(found: ArmContrast) -> str:
    difference = found.last_quarter
    if difference is None:
        return ""
    between = f" [{difference.low:+.3f}, {difference.high:+.3f}]"
    interval = between if difference.low == difference.low else ""
    return (
        f"last quarter, paired over {difference.seeds} seeds: {difference.mean:+.3f}{interval} "
        f"(p {_p(difference.p)})"
    )


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")
