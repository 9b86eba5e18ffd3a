"""`python -m hf_grok.sweep.prepare RECIPE ...`: make the data that a run would read."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hf_grok._option_parser import OptionParser
from hf_grok.errors import UserError
from hf_grok.recipes.objective import is_masked
from hf_grok.recipes.probes import chosen_probes

if TYPE_CHECKING:
    from hf_grok.recipes.recipe import Settings


def data_key(settings: Settings) -> str:
    """Equal for settings whose runs read the same files of the data sets' cache."""
    data = settings.data
    if data.data:
        return json.dumps([str(vars(data)), is_masked(settings.model.model), _has_sham(settings)])
    pairs = [settings.probes.probe_pairs, data.evaluation_seed] if _has_pairs(settings) else None
    read = [data.language, data.language_config, data.language_options, pairs, _has_sham(settings)]
    return json.dumps(read, sort_keys=True)


def prepare(settings: Settings) -> dict[str, int]:
    """Generate what a run with `settings` would generate; returns the lines of each split."""
    from hf_grok.recipes.data.arcs import sham_column
    from hf_grok.recipes.data.language import prepared_builder
    from hf_grok.recipes.probes import minimal_pairs

    if settings.data.data:
        return _prepare_corpus(settings)
    splits = prepared_builder(settings.data, quiet=True).as_dataset()
    lines = {name: len(rows) for name, rows in splits.items()}
    if _has_sham(settings):
        sham_column(splits["train"])
    if _has_pairs(settings):
        lines["minimal pairs"] = len(minimal_pairs(settings.probes.probe_pairs, settings.data))
    return lines


def _prepare_corpus(settings: Settings) -> dict[str, int]:
    from hf_grok.recipes.corpus.prepare import prepare
    from hf_grok.recipes.corpus.prepared import PARTS, TRAIN
    from hf_grok.recipes.corpus.store import add_sham
    from hf_grok.recipes.data.arcs import SHAM_SEED

    corpus = prepare(settings.data, masked=is_masked(settings.model.model))
    if _has_sham(settings):
        add_sham(corpus.part(TRAIN), corpus.vocabulary, SHAM_SEED)
    return {name: len(corpus.part(name)) for name in PARTS}


def _has_sham(settings: Settings) -> bool:
    training = settings.training
    return training.sas_arcs != "syntactic" and not training.penalty_schedule().is_off


def _has_pairs(settings: Settings) -> bool:
    return "pairs" in chosen_probes(settings.probes.probes, settings.data.language)


def main(arguments: Sequence[str]) -> int:
    """Fill the data sets' cache for the command line of one run, and do no more."""
    parser = OptionParser(prog="hf_grok.sweep.prepare")
    parser.add_argument("recipe", help="as for hf-grok train")
    parser.add_argument("--scale", help="as for hf-grok train")
    chosen, overrides = parser.parse_known_args(arguments)
    from hf_grok.recipes.recipe import load_recipe, parse

    lines = prepare(parse(load_recipe(chosen.recipe, chosen.scale), overrides))
    print(", ".join(f"{name} {count:,}" for name, count in lines.items()))
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except UserError as error:
        raise SystemExit(f"hf_grok.sweep.prepare: {error}") from error
