"""Recipes: YAML files of arguments, every value of which the command line can override."""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn

from transformers import HfArgumentParser, TrainingArguments

from hf_grok.errors import UserError, unknown_name
from hf_grok.packages import Brought, brought_files, the_one
from hf_grok.recipes.architecture import carried_over
from hf_grok.recipes.arguments import (
    DataArguments,
    GrokTrainingArguments,
    ModelArguments,
    ProbeArguments,
)
from hf_grok.recipes.words import Words, on_the_line, read_words, recipe_words
from hf_grok.runs.record import default_of
from hf_grok.text.yaml_reading import read_yaml

FILE_SCALE = "file"
_OURS: tuple[Any, ...] = (DataArguments, ModelArguments, ProbeArguments)
_GROUPS = (*_OURS, GrokTrainingArguments)


@dataclass(frozen=True)
class Recipe:
    """A named set of argument values.

    Attributes:
        name: of the recipe (a shipped one, or a file's stem).
        scale: quick, laptop, english or paper; "file" for a file of the user's.
        values: argument name -> value, as written in YAML.
    """

    name: str
    scale: str
    values: dict[str, Any]
    package: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """A recipe with the command line on top, parsed and checked.

    Attributes:
        overrides: what the command line says, by argument.
        left_out: options of the recipe's model that the chosen one does not have.
    """

    recipe: Recipe
    data: DataArguments
    model: ModelArguments
    probes: ProbeArguments
    training: GrokTrainingArguments
    overrides: Words = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def group(self, name: str) -> Any:
        """The group of arguments that has this one."""
        groups = (self.data, self.model, self.probes, self.training)
        return next(one for one in groups if hasattr(one, name))


def shipped_recipes() -> dict[str, list[Brought[dict[str, Path]]]]:
    """Name -> scale -> file of every recipe of this package and of those that bring languages."""
    found: dict[str, dict[Path, Brought[dict[str, Path]]]] = {}
    for brought in brought_files("recipes", "*/*.yaml"):
        folder = brought.thing.parent
        scales = found.setdefault(folder.name, {}).setdefault(folder, brought.holding({}))
        scales.thing[brought.thing.stem] = brought.thing
    return {name: list(folders.values()) for name, folders in found.items()}


def load_recipe(name: str, scale: str | None = None) -> Recipe:
    """Read a shipped recipe by name and scale, or any YAML file by its path.

    Raises:
        UserError: no such recipe or scale, a file that is no mapping, a key that is no argument.
    """
    if name.endswith((".yaml", ".yml")):
        if scale is not None:
            raise UserError(f"--scale {scale} chooses among shipped recipes; {name} is a file")
        path, scale_name, package = Path(name), FILE_SCALE, {}
        if not path.is_file():
            raise UserError(f"there is no recipe file {name}")
    else:
        found = the_one("recipe", name, shipped_recipes(), "A path must end in .yaml.")
        scales, package = found.thing, found.foreign_version
        scale_name = scale or "quick"
        if scale_name not in scales:
            raise unknown_name(f"scale of {name}", scale_name, scales)
        path = scales[scale_name]
    label = path.stem if scale_name == FILE_SCALE else name
    return Recipe(label, scale_name, _read_yaml(path), package)


def _read_yaml(path: Path) -> dict[str, Any]:
    values = read_yaml(path)
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected a mapping of argument: value")
    allowed = argument_names()
    for key in values:
        if key not in allowed:
            raise _unknown_argument(f"key {key!r} in {path}", str(key))
    return values


class _Parser(HfArgumentParser):
    """HfArgumentParser whose refusals are errors of the user's."""

    def __init__(self, **more: Any) -> None:
        super().__init__(_GROUPS, allow_abbrev=False, **more)

    def error(self, message: str) -> NoReturn:
        raise UserError(message)


def argument_parser() -> HfArgumentParser:
    """The parser of every value that a recipe or the command line can set, ours first."""
    return _Parser()


def argument_names() -> list[str]:
    """Every key that a recipe may have."""
    return list(_switches())


def _switches() -> dict[str, bool]:
    """Every argument -> whether it is on by default, so that `--no_NAME` may be said of it."""
    return {
        action.dest: action.const is True and action.default is True
        for action in _Parser()._actions
        if action.dest != "help" and not isinstance(action, argparse._StoreFalseAction)
    }


def own_words(arguments: Sequence[str]) -> Words:
    """What a command line says of a recipe's values, by argument.

    Raises:
        UserError: an argument that does not exist, or is given twice; a word that is for none.
    """
    try:
        return read_words(arguments, _switches())
    except KeyError as error:
        written = str(error.args[0])
        raise _unknown_argument(f"argument --{written}", written.replace("-", "_")) from None


def parse(
    recipe: Recipe,
    arguments: Sequence[str],
    *,
    suffix: str = "",
    inherited: Words | None = None,
) -> Settings:
    """`recipe` with what is inherited and then `arguments` ("--layers 4") on top.

    Args:
        recipe: the values to start from.
        arguments: words of the command line.
        suffix: put behind the default name of the run's folder.
        inherited: what another command line has said, over the recipe and under `arguments`.

    Raises:
        UserError: an argument that does not exist or stands twice, or a value outside what it
            allows.
    """
    overrides = {**(inherited or {}), **own_words(arguments)}
    words = {**recipe_words(recipe.values, _as_text), **overrides}
    words.setdefault("output_dir", (default_output(recipe, words) + suffix,))
    try:
        data, model, probes, training = _Parser().parse_args_into_dataclasses(
            on_the_line(words), look_for_args_file=False
        )
    except (ValueError, TypeError) as error:
        raise UserError(f"{recipe.name}: {error}") from error
    left_out: tuple[str, ...] = ()
    if model.model != _model_of(recipe) and "model_options" not in overrides:
        model.model_options, left_out = carried_over(model.model_options, model.model)
    return Settings(recipe, data, model, probes, training, overrides, left_out)


def _model_of(recipe: Recipe) -> str:
    """The model_type that the recipe's model_options were written for."""
    return str(recipe.values.get("model", default_of(ModelArguments.__dataclass_fields__["model"])))


def _as_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _unknown_argument(seen: str, key: str) -> UserError:
    """Names the nearest arguments and all of ours; Trainer's own hundred are left to --options."""
    near = difflib.get_close_matches(key, argument_names(), n=3)
    guess = f" Did you mean {' or '.join(near)}?" if near else ""
    inherited = {item.name for item in fields(TrainingArguments)}
    ours = [
        item.name
        for group in _GROUPS
        for item in fields(group)
        if item.name not in inherited or group in _OURS
    ]
    return UserError(
        f"unknown {seen}: expected one of {', '.join(ours)}, or of transformers' TrainingArguments "
        f"(hf-grok train --options describes them all).{guess}"
    )


def default_output(recipe: Recipe, words: Words) -> str:
    """runs/RECIPE-SCALE-seedN, of the seed that is said; 42 where none is."""
    said = {**recipe_words(recipe.values, _as_text), **words}.get("seed", ("42",))
    return f"runs/{recipe.name}-{recipe.scale}-seed{' '.join(said)}"


def describe_options() -> str:
    """Help of every value that a recipe or the command line can set, ours first."""
    return _Parser(prog="hf-grok train RECIPE").format_help()
