"""Recipes: YAML files of arguments, every value of which the command line can override."""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from transformers import HfArgumentParser, TrainingArguments

from hf_grok.errors import UserError, unknown_name
from hf_grok.training.arguments import (
    DataArguments,
    GrokTrainingArguments,
    ModelArguments,
    ProbeArguments,
)

SCALES = ("quick", "laptop", "paper")
_OURS: tuple[Any, ...] = (DataArguments, ModelArguments, ProbeArguments)
_GROUPS = (*_OURS, GrokTrainingArguments)


@dataclass(frozen=True)
class Recipe:
    """A named set of argument values.

    Attributes:
        name: of the recipe (a shipped one, or a file's stem).
        scale: quick, laptop or paper; "file" for a file of the user's.
        values: argument name -> value, as written in YAML.
    """

    name: str
    scale: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """A recipe with the command line on top, parsed and checked."""

    recipe: Recipe
    data: DataArguments
    model: ModelArguments
    probes: ProbeArguments
    training: GrokTrainingArguments


def shipped_recipes() -> dict[str, dict[str, Path]]:
    """Name -> scale -> file of every recipe in the package."""
    found: dict[str, dict[str, Path]] = {}
    for folder in sorted(Path(str(files("hf_grok.recipes"))).iterdir()):
        scales = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
        if scales:
            found[folder.name] = scales
    return found


def load_recipe(name: str, scale: str | None = None) -> Recipe:
    """Read a shipped recipe by name and scale, or any YAML file by its path.

    Raises:
        UserError: no such recipe or scale, a file that is no mapping, a key that is no argument.
    """
    if name.endswith((".yaml", ".yml")):
        if scale is not None:
            raise UserError(f"--scale {scale} chooses among shipped recipes; {name} is a file")
        path, scale_name = Path(name), "file"
        if not path.is_file():
            raise UserError(f"there is no recipe file {name}")
    else:
        recipes = shipped_recipes()
        if name not in recipes:
            raise unknown_name("recipe", name, recipes, "A path must end in .yaml.")
        scale_name = scale or "quick"
        if scale_name not in recipes[name]:
            raise unknown_name(f"scale of {name}", scale_name, recipes[name])
        path = recipes[name][scale_name]
    label = path.stem if scale_name == "file" else name
    return Recipe(label, scale_name, _read_yaml(path))


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {error}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected a mapping of argument: value")
    allowed = argument_names()
    for key in values:
        if key not in allowed:
            raise _unknown_argument(f"key {key!r} in {path}", str(key))
    return values


def argument_names() -> list[str]:
    """Every key that a recipe may have."""
    return [action.dest for action in HfArgumentParser(_GROUPS)._actions if action.dest != "help"]


def parse(recipe: Recipe, arguments: Sequence[str], *, suffix: str = "") -> Settings:
    """`recipe` with `arguments` ("--layers 4") on top.

    Args:
        recipe: the values to start from.
        arguments: words of the command line.
        suffix: put behind the default name of the run's folder.

    Raises:
        UserError: an argument that does not exist, or a value outside what it allows.
    """
    parser = HfArgumentParser(_GROUPS, exit_on_error=False)
    _refuse_unknown(arguments, argument_names())
    words = [*_as_words(recipe.values), *arguments]
    if "--output_dir" not in {word.partition("=")[0] for word in words}:
        words += ["--output_dir", default_output(recipe, arguments) + suffix]
    try:
        groups = parser.parse_args_into_dataclasses(words, look_for_args_file=False)
    except UserError:
        raise
    except (ValueError, TypeError, argparse.ArgumentError) as error:
        raise UserError(f"{recipe.name}: {error}") from error
    return Settings(recipe, *groups)


def _refuse_unknown(arguments: Iterable[str], allowed: Sequence[str]) -> None:
    for word in arguments:
        key = word[2:].partition("=")[0].replace("-", "_")
        if word.startswith("--") and key not in allowed:
            raise _unknown_argument(f"argument --{key}", key)


def _unknown_argument(seen: str, key: str) -> UserError:
    """Names the nearest arguments and all of ours; Trainer's own hundred are left to --options."""
    near = difflib.get_close_matches(key, argument_names(), n=3)
    guess = f" Did you mean {' or '.join(near)}?" if near else ""
    inherited = {field.name for field in fields(TrainingArguments)}
    ours = [
        field.name
        for group in _GROUPS
        for field in fields(group)
        if field.name not in inherited or group in _OURS
    ]
    return UserError(
        f"unknown {seen}: expected one of {', '.join(ours)}, or of transformers' TrainingArguments "
        f"(hf-grok train --options describes them all).{guess}"
    )


def _as_words(values: dict[str, Any]) -> list[str]:
    words = []
    for key, value in values.items():
        if value is None:
            continue
        if isinstance(value, list):
            words += [f"--{key}", *map(str, value)]
        else:
            words += [f"--{key}", json.dumps(value) if isinstance(value, dict) else str(value)]
    return words


def default_output(recipe: Recipe, arguments: Sequence[str]) -> str:
    """runs/RECIPE-SCALE-seedN, N being the last --seed that is said."""
    seed, words = "42", [*_as_words(recipe.values), *arguments]
    for position, word in enumerate(words):
        if word == "--seed":
            seed = words[position + 1]
        elif word.startswith("--seed="):
            seed = word.partition("=")[2]
    return f"runs/{recipe.name}-{recipe.scale}-seed{seed}"


def describe_options() -> str:
    """Help of every value that a recipe or the command line can set, ours first."""
    return HfArgumentParser(_GROUPS, prog="hf-grok train RECIPE").format_help()
