"""`hf-grok completion SHELL`: commands, options and their values at the press of a key."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hf_grok._option_parser import OptionParser
from hf_grok._optional import import_optional

SHELLS = ("bash", "zsh", "fish")
_INTO = {
    "bash": "~/.local/share/bash-completion/completions/hf-grok",
    "zsh": "~/.zfunc/_hf-grok",
    "fish": "~/.config/fish/completions/hf-grok.fish",
}


def build_parser() -> OptionParser:
    """The options of `hf-grok completion`."""
    parser = OptionParser(
        prog="hf-grok completion",
        description=(
            "Print a script by which a shell completes commands, their options, recipes, sweeps\n"
            "and languages. It is made once and then needs no Python: write it anew after an\n"
            "update. For zsh, its folder must be in fpath before compinit."
        ),
        epilog="examples:\n"
        + "\n".join(f"  hf-grok completion {shell} > {_INTO[shell]}" for shell in SHELLS),
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    return parser


def main(arguments: Sequence[str]) -> int:
    """Print the script.

    Raises:
        UserError: shtab, which writes it, is not installed.
    """
    shell = build_parser().parse_args(arguments).shell
    print(script(shell), end="")
    return 0


def script(shell: str) -> str:
    """The completion script of a shell, one of `SHELLS`.

    Raises:
        UserError: shtab is not installed.
    """
    shtab = import_optional("shtab", extra="completion", purpose="completion scripts")
    whole = whole_parser()
    for action in actions(whole):
        if action.type is Path and action.choices is None:
            vars(action)["complete"] = shtab.FILE
    return str(shtab.complete(whole, shell))


def whole_parser() -> argparse.ArgumentParser:
    """Every command with its options, in one parser that is looked at and parses nothing."""
    from hf_grok.cli import COMMANDS

    whole = argparse.ArgumentParser(prog="hf-grok")
    whole.add_argument("--version", action="version", version="", help="print the version")
    commands = whole.add_subparsers(dest="command")
    for name, summary in COMMANDS.items():
        if name == "data":
            _add_languages(commands.add_parser(name, help=summary).add_subparsers(dest="language"))
        else:
            _add(commands, name, summary, *_parsers(name))
    return whole


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every option and word that a parser knows, and those of the parsers inside it."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from actions(inner)


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    *parsers: argparse.ArgumentParser,
) -> None:
    """A command with the options of these parsers; each has a --help of its own."""
    commands.add_parser(
        name, help=summary, parents=parsers, add_help=False, conflict_handler="resolve"
    )


def _parsers(command: str) -> list[argparse.ArgumentParser]:
    """What reads a command's words; values of recipes and names of what is shipped with it."""
    if command == "train":
        from hf_grok.recipes.recipe import argument_parser, shipped_recipes
        from hf_grok.train import build_parser

        return [_offering(build_parser(), "recipe", shipped_recipes()), argument_parser()]
    module = importlib.import_module(f"hf_grok.commands.{command}")
    parser: argparse.ArgumentParser = module.build_parser()
    if command == "sweep":
        from hf_grok.sweep.plan import shipped_sweeps

        return [_offering(parser, "sweep", shipped_sweeps())]
    return [parser]


def _offering(
    parser: argparse.ArgumentParser, word: str, names: Iterable[str]
) -> argparse.ArgumentParser:
    """The parser, with names for a word that may be a file too."""
    for action in parser._actions:
        if action.dest == word:
            action.choices = list(names)
    return parser


def _add_languages(languages: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from hf_grok.commands.data.command import language_parser
    from hf_grok.commands.data.parse import option_parser
    from hf_grok.languages import OURS, language

    for name, known in OURS.items():
        _add(
            languages, name, known.card.title, language_parser(name, language(name).builder_class())
        )
    _add(languages, "parse", "annotate a text of your own", option_parser())
