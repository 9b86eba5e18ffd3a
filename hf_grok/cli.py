"""The command line: one subcommand a task, each in its own module of `hf_grok.commands`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from hf_grok.errors import UserError, refused_by_system
from hf_grok.text.masked_output import masked_output
from hf_grok.version import __version__

# What a newcomer wants comes first.
GROUPS = {
    "begin here": {
        "demo": "the quick question-formation recipe and its report, in minutes",
        "train": "train a recipe, watching it generalise",
        "report": "one page and its figures from one or more runs",
    },
    "look closer": {
        "explore": "one page to ask: curves, and trees and attention maps at every step",
        "probe": "structural probes on a saved model or a series of checkpoints",
        "onsets": "the step at which each curve begins to rise, or why there is none",
        "sweep": "arms of one recipe at several seeds, resumable, with a table and a figure",
        "compare": "arms of a sweep: whether and when their seeds generalise, with tests that fit",
    },
    "data and checkpoints": {
        "data": "generate a synthetic grammar's data set as Parquet with its card",
        "push": "publish a run's checkpoints as a series on the Hub",
        "verify": "check a series: repeated, missing, mislabelled revisions",
    },
    "this machine": {
        "env": "what a bug report needs: versions, device, threads, caches",
        "completion": "a script by which your shell completes commands and options",
    },
}
COMMANDS = {name: summary for group in GROUPS.values() for name, summary in group.items()}


def build_parser() -> argparse.ArgumentParser:
    """The parser of `hf-grok`, without any subcommand's own options."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        prog="hf-grok",
        usage="hf-grok COMMAND [options]",
        description="Watch language models come to have syntax.\n\n" + _overview(),
        epilog="`hf-grok COMMAND --help` teaches one command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"hf-grok {__version__}")
    # The description lists them, in groups.
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=argparse.SUPPRESS)
    return parser


def _overview() -> str:
    width = max(map(len, COMMANDS)) + 2
    blocks = [
        "\n".join([f"{title}:", *(f"  {name:<{width}}{what}" for name, what in group.items())])
        for title, group in GROUPS.items()
    ]
    return "\n\n".join(blocks)


_PIPE_CLOSED = 141  # 128 + SIGPIPE, as a shell reports it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status.

    A mistake of the user's (`hf_grok.errors.UserError`) is printed as one message and gives 2.
    """
    # Read by the OpenMP runtime when torch is first imported: spinning threads beside another
    # busy process slow a small model sixty-fold.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    words = list(sys.argv[1:] if arguments is None else arguments)
    chosen = build_parser().parse_args(words[:1])
    with masked_output():  # before a library is imported that keeps a stream for its log
        return _run(chosen.command, words[1:])


def _run(name: str, arguments: Sequence[str]) -> int:
    command = importlib.import_module(f"hf_grok.commands.{name}")
    try:
        status = int(command.main(arguments))
        sys.stdout.flush()  # here, where a reader that has gone is no traceback at exit
        return status
    except BrokenPipeError:  # `hf-grok probe --list | head -1`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except UserError as error:
        print(f"hf-grok {name}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if (refusal := refused_by_system(error)) is None:
            raise
        print(f"hf-grok {name}: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"hf-grok {name}: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
