"""`hf-grok push`: the options that say on the cards what a run does not know of itself."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_card_options(parser: argparse.ArgumentParser) -> None:
    """`--license`, `--dataset`, `--base-model`, `--figure`, `--eval-results`."""
    group = parser.add_argument_group("for the cards (kept in RUN_DIR/series for later pushes)")
    group.add_argument("--license", metavar="NAME", help='as the Hub names it: "mit", "cc-by-4.0"')
    group.add_argument("--dataset", metavar="REPO", help="the data's repository on the Hub")
    group.add_argument(
        "--base-model", metavar="REPO", help="the weights that training began with, on the Hub"
    )
    group.add_argument(
        "--figure",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="a picture for the series' card; may be given several times",
    )
    group.add_argument(
        "--eval-results",
        action="store_true",
        help="main also says the last step's results in .eval_results; needs --dataset",
    )


def keep_card_options(options: argparse.Namespace) -> None:
    """Write down what was said, for this push and later ones.

    Raises:
        UserError: an unknown licence, a name that is no repository's, no picture, results of no
            data set.
    """
    from hf_grok.series.card.options import keep_options

    keep_options(
        options.run,
        options.figure,
        licence=options.license,
        dataset=options.dataset,
        base_model=options.base_model,
        eval_results=options.eval_results,
    )
