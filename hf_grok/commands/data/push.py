"""`hf-grok data LANGUAGE --push REPO`: the part of the command that talks to the Hub."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hf_grok.datasets_scripts.export.parquet import Export
    from hf_grok.datasets_scripts.export.push import Pushed


@dataclass(frozen=True)
class Wanted:
    """What was asked for.

    Attributes:
        repo_id: where to push; None: nowhere.
        private: None: private where the repository is made, as it is where it is there.
    """

    repo_id: str | None
    private: bool | None


def add_push_options(parser: argparse.ArgumentParser, what: str = "it") -> None:
    """`--push REPO`, `--private` and `--public`.

    Args:
        parser: of the command.
        what: is pushed, for the help.
    """
    parser.add_argument(
        "--push",
        metavar="REPO",
        help=f'put {what} on the Hub: "name" or "user/name", made if needed',
    )
    visibility = parser.add_mutually_exclusive_group()
    visibility.add_argument(
        "--private",
        action="store_true",
        default=None,
        help="a repository that only you see, which is the default for a new one",
    )
    visibility.add_argument(
        "--public", action="store_false", dest="private", help="a repository that all see"
    )


def take_push_options(parser: argparse.ArgumentParser, options: dict[str, Any]) -> Wanted:
    """Take `push` and `private` out of the options; a usage error if they make no sense."""
    wanted = Wanted(options.pop("push"), options.pop("private"))
    if wanted.repo_id is None and options["out"] is None:
        parser.error("one of --out DIR and --push REPO is needed")
    if wanted.repo_id is None and wanted.private is not None:
        parser.error("--private and --public say how to --push, which was not given")
    return wanted


def write_and_push(
    wanted: Wanted,
    options: dict[str, Any],
    write: Callable[[dict[str, Any]], Export],
    summary: Callable[[Export], str],
) -> str:
    """Write the export, push it if that is wanted, and say what was done.

    Raises:
        UserError: as writing and pushing do.
    """
    if wanted.repo_id is None:
        return summary(write(options))
    from hf_grok.datasets_scripts.export.push import push

    with _folder(options["out"]) as folder:
        exported = write({**options, "out": folder})
        written = [summary(exported)] if options["out"] else []
        pushed = push(exported, wanted.repo_id, private=wanted.private)
    return "\n".join([*written, pushed_summary(pushed, exported)])


def pushed_summary(pushed: Pushed, exported: Export) -> str:
    """What stands on the Hub, and how to load it."""
    kind = "private: only you see it" if pushed.private else "public"
    counts = ", ".join(f"{split.name} {split.examples:,}" for split in exported.card.splits)
    config = exported.card.config
    return "\n".join(
        [
            f"pushed {pushed.repo_id} ({kind}): {exported.card.language.title}, {config}",
            f"  {pushed.url}, commit {pushed.commit[:12]}",
            f"examples: {counts}",
            f'load with: datasets.load_dataset("{pushed.repo_id}", "{config}")',
        ]
    )


@contextmanager
def _folder(given: str | None) -> Iterator[str]:
    """The folder that was given, or one that does not stay."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        yield str(Path(folder) / "export")
