"""`hf-grok onsets PATH ...`: when each curve of a run, of several seeds or of a CSV file begins."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_grok._option_parser import OptionParser
from hf_grok.errors import UserError

if TYPE_CHECKING:
    from hf_grok.dynamics.onsets.study import MetricOnsets

_DESCRIPTION = """\
Find the step at which each curve begins to rise (a loss: to fall), or say why it has no
such step. By two rules, side by side:
  acceleration  the step t at which [f(t+D) - f(t)] - [f(t) - f(t-D)] is largest, D being the
                window; exact between unevenly spaced evaluations. It counts if it is a
                lasting rise, larger than the noise, and nothing elsewhere is nearly as sharp.
  crossing      the first evaluation that is a margin beyond a baseline, and stays there.
                Sturdier where the baseline is known.
Runs of one recipe that differ by their seed are answered one by one, then for their mean curve,
with an interval from resampling the seeds. For runs with in-distribution and generalization
accuracy, grokking step, delay and early-stopping gap follow."""

_EPILOG = """\
examples:
  hf-grok onsets runs/question-formation-quick-seed0
      the headline curves of a run: losses, accuracies, attention UAS, tree projection, pairs
  hf-grok onsets runs/question-formation-quick-seed* --metric loss --metric uas_best_head
      several seeds; a metric may be named without its eval_
  hf-grok onsets curves.csv --window 3500 --direction rise
      a file with columns step,value; or metric,model,step,value, where a model is a seed or a
      run; or step and one column for each metric
  hf-grok onsets run --metric uas_single_head --baseline 0.28 --margin 0.03
      a crossing of a baseline you know; or of another metric: --baseline uas_single_offset
  hf-grok onsets runs/sas-mlm --arm suppress-0.3
      the finished seeds of one arm of a sweep; results.parquet, the table it leaves, does too
  hf-grok onsets run --axis tokens --json onsets.json
      along tokens instead of steps, and as JSON too

METRIC=X says X for one metric; X alone says it for all.
A window that reaches back into a loss's first fall hides what follows; one in which a curve
moves less than its noise finds nothing: try two before believing either. A crossing without a
baseline of its own says little of a curve that wanders. docs/onsets.md has the definitions."""


def build_parser() -> OptionParser:
    """The options of `hf-grok onsets`, with what they are for."""
    parser = OptionParser(
        prog="hf-grok onsets",
        usage="hf-grok onsets PATH [PATH ...] [options]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add = parser.add_argument
    add(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a run directory (of any Trainer), a sweep's or its results.parquet, or a file of "
        "curves: CSV, JSON or JSON lines, such as a Trainer's log_history, or what TensorBoard or "
        "W&B export",
    )
    add("--arm", metavar="NAME", help="which arm of a sweep; needed where it has several")
    add("--metric", action="append", default=[], metavar="NAME", help="which curves; repeatable")
    add(
        "--window",
        type=float,
        metavar="D",
        help="in steps (or the unit of --axis), at most half of the run; default: a twentieth of "
        "it, at least three times the widest spacing of evaluations",
    )
    own: Mapping[str, Any] = {"action": "append", "default": []}
    add(
        "--direction",
        metavar="rise|fall",
        help="default: what is declared of the metric: our own numbers and those of probes, and "
        "such as loss, perplexity and accuracy, by their whole names; any other needs it",
        **own,
    )
    add(
        "--baseline",
        metavar="X",
        help="of a crossing: a number, or a metric of the same model; default: the offsets' or "
        "branching directions' score where a probe reports it, .5 for pairs, else the best value "
        "in the first window",
        **own,
    )
    add(
        "--margin",
        metavar="X",
        help="of a crossing; default: the least rise that counts, which is the largest of "
        "--least-rise, a tenth of the curve's range and three times the noise of one evaluation",
        **own,
    )
    add("--hold", type=int, default=2, metavar="N", help="evaluations that a crossing lasts (2)")
    add(
        "--least-rise",
        metavar="X",
        help="a smaller move is no onset; default: .05 for accuracies and the like, else 0",
        **own,
    )
    add(
        "--axis",
        default="steps",
        metavar="NAME",
        help="progress of a run: steps, tokens, "
        "cumulative_learning_rate, distance_from_start (default steps)",
    )
    add("--resamples", type=int, default=1_000, metavar="N", help="of the seeds (1000)")
    add("--seed", type=int, default=0, metavar="N", help="of the resampling (0)")
    add("--json", type=Path, metavar="FILE", help="write the numbers here as well")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Print the onsets and return 0. A metric that cannot be studied is named, and the rest is.

    Raises:
        UserError: a path that is neither run, sweep nor curves, an unknown metric or arm, a window
            that does not fit, a file that cannot be written.
    """
    options = build_parser().parse_args(arguments)
    from hf_grok.commands.onsets.options import chosen_metrics, settings_of
    from hf_grok.commands.onsets.places import read_places
    from hf_grok.commands.onsets.records import records
    from hf_grok.commands.onsets.text import described
    from hf_grok.dynamics.onsets.study import study_metric

    runs, curves = read_places(options.paths, options.axis, options.arm)
    recorded = {name: metric for run in runs.values() for name, metric in run.metrics.items()}
    metrics = chosen_metrics(curves, options.metric, recorded)
    settings = settings_of(curves, metrics, options, recorded)
    studies: list[MetricOnsets] = []
    refused: dict[str, str] = {}
    for metric in metrics:
        own = [curve for curve in curves if curve.metric == metric]
        try:
            studies.append(study_metric(own, curves, settings[metric]))
        except UserError as error:
            refused[metric] = str(error)
    if not studies:
        raise UserError("; ".join(dict.fromkeys(refused.values())))
    if options.json is not None:
        found = records(studies, runs, options.axis, refused)
        _write(options.json, json.dumps(found, indent=1) + "\n")
    print(described(studies, runs, options.axis, refused))
    return 0


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"--json {path} cannot be written: {error}") from error
