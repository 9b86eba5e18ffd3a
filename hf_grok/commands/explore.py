"""`hf-grok explore`: one HTML page in which the curves, trees and maps of runs can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hf_grok._option_parser import OptionParser

DESCRIPTION = """\
Write one self-contained HTML file to look at training runs in a browser.

Every curve of every run, by arm, depth or seed, along steps or tokens; onsets and crossings; how
many seeds have generalised by when. And one slider through training: at each step the projected
trees beside gold, what the best head of each relation attends to, UAS by relation against its
offsets, minimal pairs by paradigm, answers by kind of clause. The address of the page says what is
shown, so that a view can be linked. Nothing is fetched: it opens from disk and by mail."""

EPILOG = """\
examples:
  hf-grok explore runs/demo
  hf-grok explore runs/question-formation-quick-seed* --out seeds.html
  hf-grok explore runs/sas-mlm
      every run of a sweep, an arm beside the other
  hf-grok explore results.parquet --out sweep.html
      the same of the table that a sweep leaves: curves and numbers, no trees and maps
  hf-grok explore runs/demo --push-space my-demo
      on the Hub as well, private: only you see it

Runs that are still going on are shown as far as they have come."""


def build_parser() -> OptionParser:
    """The options of `hf-grok explore`."""
    parser = OptionParser(
        prog="hf-grok explore",
        usage="hf-grok explore RUN_OR_SWEEP... [options]",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    parser.add_argument(
        "places",
        nargs="+",
        type=Path,
        metavar="RUN_OR_SWEEP",
        help="a folder of `hf-grok train` or `hf-grok sweep`, a sweep's results.parquet, or the "
        "output_dir or log of any Trainer",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE.html",
        help="the file (default: of one run or sweep report/explore.html in its folder, beside its "
        "report; of several explore.html here)",
    )
    parser.add_argument(
        "--push-space",
        metavar="REPO",
        help="put the page on the Hub too, as a static Space of this name ([user/]name); a private "
        "one where it is made",
    )
    parser.add_argument("--public", action="store_true", help="with --push-space: for everybody")
    return parser


def default_file(places: Sequence[Path]) -> Path:
    """RUN/report/explore.html of one folder, beside a file; explore.html here for several."""
    from hf_grok.report.write import EXPLORER

    if len(places) > 1:
        return Path(EXPLORER)
    place = places[0]
    if place.is_file():
        return place.with_name(f"{place.stem}-{EXPLORER}")
    return place / "report" / EXPLORER


def main(arguments: Sequence[str]) -> int:
    """Write the page, say where it is and how large, return 0.

    Raises:
        UserError: as `hf_grok.explorer.write_explorer` and `push_space`.
    """
    parser = build_parser()
    chosen = parser.parse_args(arguments)
    if chosen.public and chosen.push_space is None:
        parser.error("--public says who sees a Space: name one with --push-space")
    from hf_grok.explorer import write_explorer

    path = write_explorer(chosen.places, chosen.out or default_file(chosen.places))
    print(f"written: {path} ({path.stat().st_size / 1e6:.1f} MB)")
    print(f"open {path} in a browser")
    if chosen.push_space is not None:
        from hf_grok.commands.explore_space import push_space

        pushed = push_space(path, chosen.push_space, private=False if chosen.public else None)
        print(f"pushed: {pushed.url} ({'private' if pushed.private else 'public'})")
    return 0
