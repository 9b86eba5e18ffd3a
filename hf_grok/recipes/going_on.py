"""What a command of hf-grok train goes on with: the run, its recipe, and what it was told."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from hf_grok._option_parser import OptionParser
from hf_grok.errors import UserError
from hf_grok.recipes.branch import Branch, find_checkpoint
from hf_grok.recipes.recipe import Recipe, own_words
from hf_grok.recipes.resume import inherited_words, recipe_of
from hf_grok.recipes.words import Words
from hf_grok.runs.record import recorded


def name_recipe(
    parser: OptionParser, chosen: argparse.Namespace, words: Sequence[str], overrides: list[str]
) -> Words:
    """See to it that a recipe is named: by the command, or by the run that it goes on with.

    Args:
        parser: of the command.
        chosen: what it read, whose recipe and scale are set.
        words: the whole command.
        overrides: what was left of it; a value that was read as the recipe is put back.

    Returns:
        What `overrides` say, by argument.

    Raises:
        UserError: a value stands where the recipe is read; the run does not say its recipe.
    """
    before = "" if chosen.recipe is None else ["", *words][words.index(chosen.recipe)]
    is_value = before in overrides and before.startswith("--") and "=" not in before
    if is_value:  # argparse takes the first word without dashes for RECIPE
        overrides.insert(overrides.index(before) + 1, chosen.recipe)
    own = own_words(overrides)
    if chosen.recipe is not None and not is_value:
        return own
    earlier = gone_on_with(chosen, own)
    if earlier is not None:
        chosen.recipe, scale = recipe_of(earlier)
        chosen.scale = chosen.scale or scale  # another one is refused with what else differs
    elif is_value:
        raise UserError(f"{chosen.recipe!r} is read as the recipe: name RECIPE before {before}")
    else:
        parser.error("name a RECIPE (hf-grok train --list names them)")
    return own


def gone_on_with(chosen: argparse.Namespace, own: Words) -> Path | None:
    """The run that the command goes on with, where it names its folder; None elsewhere."""
    text = chosen.from_checkpoint or ""
    if text and not text.isdecimal():
        return Path(text).parent
    if chosen.parent:
        return Path(chosen.parent)
    return Path(own["output_dir"][0]) if chosen.resume and own.get("output_dir") else None


def inheritance(
    recipe: Recipe, folder: Path, branch: Branch | None, *, resume: bool
) -> tuple[Path, Words]:
    """Which run is gone on from, and what its command line said.

    A run that is resumed goes on as it was begun, a branch as its parent: what they were told need
    not be said again, and what is said again wins.
    """
    info = recorded(folder) if resume else None
    if info is None and branch is not None:
        theirs = recorded(branch.parent)
        return branch.parent, inherited_words(branch.parent, theirs, recipe, branch=True)
    return folder, inherited_words(folder, info, recipe, branch=False)


def chosen_branch(chosen: argparse.Namespace, default_parent: str) -> Branch | None:
    """The branch that the options ask for; None without --from-checkpoint.

    Raises:
        UserError: no such checkpoint; options that take --from-checkpoint, or a step, without it.
    """
    text = chosen.from_checkpoint
    if text is None:
        if chosen.parent or chosen.reset_optimizer:
            raise UserError(
                "--parent and --reset-optimizer say more about a branch: name its "
                "--from-checkpoint too"
            )
        return None
    if chosen.parent and not text.isdecimal():
        raise UserError(
            f"--from-checkpoint {text} names a folder already: give --parent with a step alone"
        )
    parent = Path(chosen.parent or default_parent)
    return Branch(find_checkpoint(text, parent), chosen.reset_optimizer)
