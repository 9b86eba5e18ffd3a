"""`hf-grok push RUN_DIR REPO`: publish a run's checkpoints, each as a revision of its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hf_grok._option_parser import OptionParser
from hf_grok.commands.push_card import add_card_options, keep_card_options
from hf_grok.errors import UserError

if TYPE_CHECKING:
    from hf_grok.series.hub.pusher import Outcome
    from hf_grok.series.local.journal import StepRecord
    from hf_grok.series.run_series import RunSeries

# Failures in a row after which somebody who waits at a terminal is told; about four minutes.
PATIENCE = 8

_EXAMPLES = """\
examples:
  hf-grok push runs/demo my-series
      every whole checkpoint of a run: branch step{N} for step N, main for the last one
  hf-grok push runs/demo me/my-series
      the same again, after an interruption or more training: what is there is not pushed twice
  hf-grok push runs/demo lab/grokking --public --tags --revision-template ckpt-{step}
      a public repository, other names, and a tag that pins each step
  hf-grok push runs/demo me/my-series --license mit --dataset me/dyck --figure accuracy.png
      what the cards should say beside what the run says of itself

Then: AutoModelForCausalLM.from_pretrained("me/my-series", revision="step1000")
and:  hf-grok verify me/my-series"""


def build_parser() -> OptionParser:
    """The options of `hf-grok push`."""
    parser = OptionParser(
        prog="hf-grok push",
        description=(
            "Publish a series of checkpoints. What CheckpointSeriesCallback left waiting in\n"
            "RUN_DIR is pushed, and so is every whole checkpoint-N that is not in its journal\n"
            "yet. Weights go as safetensors, with config, tokenizer, metrics and a card; a\n"
            "step whose weights equal another's is refused. The token is the environment's\n"
            "(HF_TOKEN) or the one of `hf auth login`. The repository is private unless you\n"
            "say --public."
        ),
        epilog=_EXAMPLES,
    )
    parser.add_argument("run", metavar="RUN_DIR", type=Path, help="a run's folder")
    parser.add_argument("repository", metavar="REPO", help='"name" or "user/name"')
    parser.add_argument(
        "--revision-template",
        default="step{step}",
        metavar="TEXT",
        help="how branches are called (default: %(default)s)",
    )
    parser.add_argument("--public", action="store_true", help="for all to see")
    parser.add_argument("--tags", action="store_true", help="also a tag for each step")
    parser.add_argument(
        "--optimizer",
        action="store_true",
        help="also optimizer.pt and scheduler.pt, which are pickles",
    )
    parser.add_argument(
        "--ship-code",
        action="store_true",
        help="also the code of a vanilla transformer, to load it without hf-grok",
    )
    add_card_options(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Stage what the journal lacks, push what waits; 0 if all of it is on the Hub, else 1.

    Raises:
        UserError: no run, no token, offline, a template or repository that the Hub would not take.
    """
    options = build_parser().parse_args(arguments)
    token = _token()
    series = open_series(options)
    outcome = push(series, options, token)
    print(summary(series, outcome, options.repository))
    return 0 if outcome.complete and not left_over(series) else 1


def open_series(options: argparse.Namespace) -> RunSeries:
    """The run's series, with every whole checkpoint set aside.

    Raises:
        UserError: the folder holds no run; --ship-code with a class whose code is not known.
    """
    from hf_grok.callbacks.published_config import published_config, published_config_with_code
    from hf_grok.series.hub.repository import check_repository_name
    from hf_grok.series.naming import RevisionTemplate
    from hf_grok.series.run_series import RunSeries, checkpoints

    check_repository_name(options.repository)
    series = RunSeries(
        options.run,
        RevisionTemplate(options.revision_template),
        optimizer=options.optimizer,
        fix=published_config_with_code if options.ship_code else published_config,
        say=_warn,
    )
    if not series.journal.path.is_file() and not checkpoints(options.run):
        raise UserError(
            f"{options.run} holds no series: expected folders checkpoint-N as Trainer leaves "
            "them, or series/journal.jsonl"
        )
    keep_card_options(options)
    series.check()
    series.recover()
    series.agree_on_code()
    series.adopt(options.run, None, _warn, strength_of(options.run))
    if options.ship_code:
        _say_where_no_code_is_needed(series)
    return series


def strength_of(run: Path) -> Callable[[int], float] | None:
    """lambda before each step of a run of `hf-grok train`, by its run.json; None without one.

    Raises:
        UserError: run.json is not JSON; its schedule cannot be read.
    """
    from hf_grok.runs.notes import read_about
    from hf_grok.sas.schedule import LambdaSchedule

    text = read_about(run).get("arguments", {}).get("sas_schedule")
    if text is None:
        return None
    schedule = LambdaSchedule.parse(text)
    return None if schedule.is_off else schedule.before


def push(series: RunSeries, options: argparse.Namespace, token: str) -> Outcome:
    """Push what waits, with a progress bar."""
    from tqdm import tqdm

    from hf_grok.series.hub.pusher import Pusher
    from hf_grok.series.hub.repository import SeriesHub
    from hf_grok.series.local.journal import State

    hub = SeriesHub(options.repository, private=not options.public)
    records = series.journal.records().values()
    waiting = sum(record.state is State.STAGED for record in records)
    with tqdm(total=waiting, desc="pushing", unit="step", disable=not waiting) as bar:

        def pushed(text: str) -> None:
            bar.set_postfix_str(text.partition(" ")[0])
            bar.update()

        return Pusher(
            series,
            hub,
            tags=options.tags,
            token=token,
            patience=PATIENCE,
            info=pushed,
            warn=tqdm.write,
        ).push_waiting()


def summary(series: RunSeries, outcome: Outcome, repository: str) -> str:
    """What is on the Hub, what is not and why, and what to do next."""
    from hf_grok.series.local.journal import DONE

    records = series.journal.records().values()
    done = [record for record in records if record.state in DONE]
    kind = "private: only you see it" if outcome.private else "public"
    counted = f"{len(done) - len(outcome.gone)} of {len(records)} steps are on"
    lines = [f"{counted} {done[-1].repository} ({kind})"] if done else []
    lines += left_over(series)
    if outcome.gone:
        lines.append(
            f"pushed, and deleted on the Hub since: {', '.join(outcome.gone)}. Where their "
            f"checkpoints are still in {series.run}: move {series.folder} away and push again"
        )
    if outcome.waiting:
        lines.append(f"not pushed: {', '.join(outcome.waiting)}")
    if outcome.stopped:
        lines.append(f"because: {outcome.stopped}")
    if outcome.complete:
        lines.append(f"check it with: hf-grok verify {done[-1].repository}" if done else "")
    elif outcome.waiting or outcome.stopped or not outcome.main:
        option = " --ship-code" if any(carries_code(record) for record in records) else ""
        lines.append(f"to go on: hf-grok push {series.run} {repository}{option}")
    return "\n".join(line for line in lines if line)


def left_over(series: RunSeries) -> list[str]:
    """The steps that were not even set aside, and why, a line each."""
    from hf_grok.series.local.journal import State

    lines = []
    for record in series.journal.records().values():
        if record.state is State.REFUSED:
            lines.append(f"refused: {record.reason}")
        elif record.state is State.SAVED:
            lines.append(f"not set aside: {record.reason or f'the files of step {record.step}'}")
    return lines


def carries_code(record: StepRecord) -> bool:
    """Whether a step's revision has the model's code in it."""
    from hf_grok.series.code.model_code import MODEL_CODE_FILE

    return MODEL_CODE_FILE in record.files


def _say_where_no_code_is_needed(series: RunSeries) -> None:
    records = [record for record in series.journal.records().values() if record.files]
    if records and not any(carries_code(record) for record in records):
        _warn("--ship-code adds nothing: transformers has the classes of these checkpoints")


def _token() -> str:
    from huggingface_hub import get_token, is_offline_mode

    if is_offline_mode():
        raise UserError("HF_HUB_OFFLINE is set: unset it to push")
    token = get_token()
    if token is None:
        raise UserError(
            "no token for the Hub: run `hf auth login`, or set HF_TOKEN to one that may write"
        )
    return token


def _warn(text: str) -> None:
    print(text, file=sys.stderr)
