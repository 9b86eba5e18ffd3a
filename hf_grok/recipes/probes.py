"""The structural probes of a recipe: which, and over which sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hf_grok.annotation.rows import with_words
from hf_grok.errors import UserError, unknown_name
from hf_grok.languages import OURS, brought_language, language, trained_language
from hf_grok.packages import Brought
from hf_grok.probes import Probe, build_probe, probe_names
from hf_grok.probes.registry import brought_probe
from hf_grok.recipes.arguments import DataArguments, ProbeArguments
from hf_grok.recipes.data.language import asked_rows

if TYPE_CHECKING:
    from datasets import Dataset

    from hf_grok.recipes.recipe import Settings

# A tree projection runs each sentence once per word.
SHARE_OF_TREES = 4


def chosen_probes(text: str, learnt: str) -> tuple[str, ...]:
    """The probes' names that `--probes` asks for.

    Args:
        text: "default", "none", or names with commas between them.
        learnt: the language whose defaults are meant.

    Raises:
        UserError: an unknown language, a name that no probe has, or one twice.
    """
    return named_probes(text, trained_language(learnt).probes if text == "default" else ())


def named_probes(text: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """The same, where `default` is meant by "default".

    Raises:
        UserError: a name that no probe has, or one twice.
    """
    if text in ("default", "none"):
        return default if text == "default" else ()
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in probe_names():
            raise unknown_name("probe", name, ["default", "none", *probe_names()])
    if len(set(names)) < len(names):
        raise UserError(f"--probes {text}: name each probe once")
    return names


def foreign_versions(settings: Settings) -> dict[str, str]:
    """Package -> version of the other packages that bring a run's recipe, language and probes."""
    learnt, asked = settings.data.language, settings.probes.probes
    # A corpus is nobody's, and the probes that it has by default are ours.
    probes = chosen_probes(asked, learnt) if learnt else named_probes(asked, ())
    brought: list[Brought[Any]] = [*map(brought_probe, probes)]
    if learnt:
        brought.insert(0, brought_language(learnt))
    return {
        **settings.recipe.package,
        **{package: version for one in brought for package, version in one.foreign_version.items()},
    }


def recipe_probes(
    arguments: ProbeArguments, data: DataArguments, test: Dataset, tokenizer: Any
) -> list[Probe]:
    """The probes of a run, over sentences of the test split drawn by `evaluation_seed`.

    The model reads a sentence's words, without the task word and what follows it. Tree projections
    take a quarter of the sentences, all of them from lines that ask for something. Minimal pairs
    are the language's own.

    Raises:
        UserError: an unknown probe, or rows that do not fit one.
    """
    names = chosen_probes(arguments.probes, data.language)
    shuffled = with_words(test).shuffle(seed=data.evaluation_seed)
    rows = _first(shuffled, arguments.probe_examples)
    asked = asked_rows(shuffled, language(data.language).task)
    asking = _first(asked, -(-arguments.probe_examples // SHARE_OF_TREES))
    own = {"tree": asking}
    if "pairs" in names:
        own["pairs"] = minimal_pairs(arguments.probe_pairs, data)
    return [build_probe(name, own.get(name, rows), tokenizer) for name in names]


def minimal_pairs(count: int, data: DataArguments) -> Dataset:
    """`count` minimal pairs of each paradigm of the language, drawn by `evaluation_seed`.

    Raises:
        UserError: the language has none.
    """
    name = language(data.language).pairs
    if not name:
        having = ", ".join(name for name, one in OURS.items() if one.pairs)
        raise UserError(
            f"{data.language} has no minimal pairs for the probe pairs ({having} has): "
            "leave it out of --probes, and give hf-grok probe a file of pairs afterwards"
        )
    builder = language(name).builder_class()(pairs_per_paradigm=count, seed=data.evaluation_seed)
    builder.download_and_prepare()
    pairs: Dataset = builder.as_dataset("test")
    return pairs


def _first(rows: Dataset, count: int) -> Dataset:
    return rows.select(range(min(count, len(rows))))
