"""`hf-grok compare SWEEP...`: do arms differ in whether, and in when, their seeds generalise?"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hf_grok._option_parser import OptionParser

if TYPE_CHECKING:
    from hf_grok.metrics import Metric
    from hf_grok.report.sweep.compare import ArmNumbers
    from hf_grok.report.sweep.runs import Sweep

DESCRIPTION = """\
Compare the arms of a sweep with its first, over seeds; of several sweeps as if they were one.

For each arm: the fraction of seeds that came to a level and held it, with its exact interval; the
step by which half of them had; the mean step, with seeds that never did counted at the end; the
last quarter of the runs, and whether its values fall in two groups, which a mean would hide. Then
a sentence an arm, with the tests that fit: Fisher's for how many, log-rank for when, Wilcoxon's
for the last quarter, seed by seed.
"""

EPILOG = """\
examples:
  hf-grok compare runs/question-formation-depth
      every depth against the first arm, by generalization accuracy at .8
  hf-grok compare runs/sas-mlm --arms base suppress-0.3 --metric eval_loss --level 3.2
      two arms, by when the loss falls below 3.2
  hf-grok compare runs/seeds-0-4 results.parquet --until 15000 --arms layers-2 layers-6
      seeds of two sweeps together, one of them as the table that it left, to step 15,000
  hf-grok compare --power .2 .8
      how many seeds an arm it takes to tell these fractions apart"""


def build_parser() -> OptionParser:
    """The options of `hf-grok compare`."""
    parser = OptionParser(
        prog="hf-grok compare",
        usage="hf-grok compare SWEEP [SWEEP ...] [options]",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    add = parser.add_argument
    add(
        "sweeps",
        nargs="*",
        type=Path,
        metavar="SWEEP",
        help="folder that hf-grok sweep wrote, or a results.parquet of one",
    )
    add("--arms", nargs="+", metavar="ARM", help="these, the first of which is compared with")
    add(
        "--metric",
        default=None,
        metavar="NAME",
        help="default: generalization accuracy, or the loss",
    )
    add(
        "--level",
        type=float,
        metavar="X",
        help="to be reached (default for accuracies: .8; for the validation loss: a quarter of the "
        "way that the sweep's first arm goes)",
    )
    add("--until", type=int, metavar="STEP", help="read runs to here; leave out shorter ones")
    add("--hold", type=int, default=2, metavar="N", help="evaluations in a row (default: 2)")
    add(
        "--power",
        nargs=2,
        type=float,
        metavar=("P", "Q"),
        help="instead: seeds an arm at which fractions P and Q are told apart in 4 of 5 sweeps",
    )
    return parser


def main(arguments: Sequence[str]) -> int:
    """Print the comparison.

    Raises:
        UserError: no sweep there, an arm or a metric it does not have, a level that is missing.
    """
    parser = build_parser()
    chosen = parser.parse_args(arguments)
    if chosen.power is not None:
        print(power_text(*chosen.power))
        return 0
    if not chosen.sweeps:
        parser.error("name a SWEEP: a folder that hf-grok sweep wrote, or its results.parquet")
    print(
        compared(
            chosen.sweeps,
            chosen.arms,
            chosen.metric,
            chosen.level,
            hold=chosen.hold,
            until=chosen.until,
        )
    )
    return 0


def power_text(first: float, second: float) -> str:
    """How many seeds it takes, in a sentence."""
    from hf_grok.dynamics.when import seeds_needed

    found = seeds_needed(first, second)
    return (
        f"fractions {first:g} and {second:g}: {found.seeds} seeds an arm are told apart in "
        f"{found.power:.0%} of sweeps (Fisher's exact test, two-sided .05, 2,000 simulated)"
    )


def compared(
    sweeps: Sequence[Path],
    arms: Sequence[str] | None = None,
    metric: str | None = None,
    level: float | None = None,
    *,
    hold: int = 2,
    until: int | None = None,
) -> str:
    """The comparison as text; arguments as those of the command."""
    from hf_grok.metrics import GENERALIZATION, VALIDATION_LOSS
    from hf_grok.report.sweep.compare import contrast, numbers_of
    from hf_grok.report.sweep.compare_text import comparison_text
    from hf_grok.report.sweep.several import read_sweeps

    sweep = read_sweeps(sweeps, until, lambda text: print(text, file=sys.stderr))
    asked = any(GENERALIZATION in run.evaluations.columns for run in sweep.runs)
    name = metric or (GENERALIZATION if asked else VALIDATION_LOSS)
    reached, falling = _level(name, level, sweep)
    every = numbers_of(sweep, name, reached, hold, falling)
    chosen = _chosen(every, arms)
    contrasts = [contrast(chosen[0], arm) for arm in chosen[1:]]
    sign = "<=" if falling else ">="
    rule = f"{sign} {reached:g} at {hold} evaluations in a row"
    return comparison_text(chosen, contrasts, name, rule)


def _level(metric: str, level: float | None, sweep: Sweep) -> tuple[float, bool]:
    """The level, and whether it is reached from above."""
    from hf_grok.errors import UserError
    from hf_grok.metrics import VALIDATION_LOSS, direction_of, find_metric
    from hf_grok.report.sweep.onsets import loss_level

    direction = direction_of(metric)
    if direction is None:
        raise UserError(
            f"nothing says whether {metric} gets better by rising or by falling: compare one that "
            "hf-grok or an installed probe declares (hf-grok probe --list)"
        )
    found = find_metric(metric)
    if level is None and metric == VALIDATION_LOSS and (own := loss_level(sweep.reference)):
        level = own.value
    if level is None and (found is None or not found.is_share):
        raise UserError(f"{metric} has no level of its own: say --level, such as one of its curve")
    if level is not None and found is not None:
        _refuse_unreachable(metric, level, found)
    return (0.8 if level is None else level), direction == "fall"


def _refuse_unreachable(metric: str, level: float, found: Metric) -> None:
    """A level that no value can have (a percentage, say) would be one that no seed comes to."""
    from hf_grok.errors import UserError

    low = -math.inf if found.lowest is None else found.lowest
    high = math.inf if found.highest is None else found.highest
    if not low <= level <= high:
        raise UserError(f"--level {level:g}: {metric} lies in {low:g}..{high:g}")


def _chosen(every: Sequence[ArmNumbers], names: Sequence[str] | None) -> list[ArmNumbers]:
    from hf_grok.errors import unknown_name

    by_name = {arm.name: arm for arm in every}
    for name in names or ():
        if name not in by_name:
            raise unknown_name("arm with finished runs", name, by_name)
    return [by_name[name] for name in names] if names else list(every)
