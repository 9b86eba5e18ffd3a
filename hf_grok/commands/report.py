"""`hf-grok report`: one page and its figures from one or more runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hf_grok._option_parser import OptionParser
from hf_grok.errors import UserError

LONGEST_NAME = 80


def build_parser() -> OptionParser:
    """The options of `hf-grok report`, with what they are for."""
    parser = OptionParser(
        prog="hf-grok report",
        description=(
            "Write one self-contained HTML page, its figures (SVG and PNG) and a table (CSV)\n"
            "about one or more training runs: when in-distribution accuracy saturates, when\n"
            "generalization arrives and how it swings afterwards, by kind of sentence; what\n"
            "probes found inside the model, over its baselines, and when (structure, trees,\n"
            "attention); what early stopping would have kept; losses, configuration, versions."
        ),
        epilog=(
            "examples:\n"
            "  hf-grok report runs/question-formation-quick-seed0\n"
            "  hf-grok report runs/question-formation-quick-seed* --out seeds\n"
            "  hf-grok report runs/sas-mlm\n"
            "      the folder of a sweep: its tables and its figure, an arm beside the other\n"
            "  hf-grok report runs/more-seeds results.parquet --out both\n"
            "      two sweeps as one, of one of them the table that it left\n\n"
            "Runs that differ only by their seed are drawn together. Several depths of one\n"
            "recipe are compared in one more figure. A run that is still going on can be\n"
            "reported too, and is reported as such."
        ),
    )
    parser.add_argument(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUN",
        help="a directory that `hf-grok train` wrote, or the output_dir of any Trainer, or a file "
        "with its log_history (JSON, CSV); or a sweep's folder, or its results.parquet",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where to write (default: RUN/report for one run, else ./report-RUN-RUN-...)",
    )
    parser.add_argument(
        "--until",
        type=int,
        metavar="STEP",
        help="of sweeps: read their runs to this step, and leave out shorter ones",
    )
    return parser


def default_folder(runs: Sequence[Path]) -> Path:
    """RUN/report for one run (beside a file); report-<names> here for several.

    Shortened if that is very long.
    """
    if len(runs) == 1:
        run = runs[0]
        return run.with_name(f"{run.stem}-report") if run.is_file() else run / "report"
    names = [run.resolve().name for run in runs]
    full = "-".join(["report", *names])
    if len(full) <= LONGEST_NAME:
        return Path(full)
    return Path(f"report-{names[0]}-and-{len(names) - 1}-more")


def main(arguments: Sequence[str]) -> int:
    """Write the report, print the files written, return 0."""
    options = build_parser().parse_args(arguments)
    from hf_grok.report import write_report
    from hf_grok.report.sweep.write import write_arms
    from hf_grok.runs.sweep_files import is_sweep, is_table

    out = options.out or default_folder(options.runs)
    if all(is_sweep(place) or is_table(place) for place in options.runs):
        written = write_arms(options.runs, out, options.until)
        print("\n".join(["written:", *(f"  {file}" for file in written)]))
        return 0
    if options.until is not None:
        alone = next(run for run in options.runs if not (is_sweep(run) or is_table(run)))
        raise UserError(f"--until is for sweeps, and {alone} is a run: leave it out")
    files = write_report(options.runs, out)
    print("written:")
    for file in files:
        print(f"  {file}")
    print(f"open {files[0]} in a browser")
    return 0
