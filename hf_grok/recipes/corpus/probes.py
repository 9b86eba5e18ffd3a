"""What is looked at in a model that learns a corpus: treebanks, pairs, documents held out."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from hf_grok.errors import UserError
from hf_grok.evaluation.data import load_data
from hf_grok.probes import Probe, build_probe, probe_class
from hf_grok.recipes.arguments import DataArguments, ProbeArguments
from hf_grok.recipes.probes import named_probes

DEFAULT = ("uas", "pairs", "sparsity", "norm")
HELD_OUT = "held_out"


@dataclass(frozen=True)
class ProbeSource:
    """Rows that probes look at.

    Attributes:
        name: as --probe_data has it.
        rows: with words, heads and deprels, or with sentence_good and sentence_bad.
        scheme: annotation scheme of the heads; None where nothing says.
    """

    name: str
    rows: Any
    scheme: str | None

    @property
    def is_pairs(self) -> bool:
        """Whether they are minimal pairs."""
        return "sentence_good" in self.rows[0]


def probe_sources(arguments: ProbeArguments) -> list[ProbeSource]:
    """What `--probe_data NAME=FILE ...` names, read.

    Raises:
        UserError: no NAME=FILE; a name twice; a file that cannot be read.
    """
    found: dict[str, ProbeSource] = {}
    for word in arguments.probe_data:
        name, equals, rest = word.partition("=")
        if not (name.isidentifier() and equals and rest):
            raise UserError(
                f"probe_data {word!r}: expected NAME=FILE, such as ewt=en_ewt-ud-dev.conllu"
            )
        if name in found or name == HELD_OUT:
            raise UserError(f"probe_data has two sets called {name!r}: give one another name")
        data = load_data(rest)
        found[name] = ProbeSource(name, data.rows, data.scheme)
    return list(found.values())


def defaults(*, trees: bool, pairs: bool) -> tuple[str, ...]:
    """The probes that "default" means: those that there are data for."""
    missing = {"uas": not trees, "pairs": not pairs}
    return tuple(name for name in DEFAULT if not missing.get(name))


def corpus_probes(
    arguments: ProbeArguments,
    data: DataArguments,
    held_out: Sequence[dict[str, Any]],
    sources: Sequence[ProbeSource],
    tokenizer: PreTrainedTokenizerBase,
) -> list[Probe]:
    """The probes of a run on a corpus.

    `uas` looks at the first treebank of `--probe_data`, `uas_NAME` at each further one, and
    `uas_held_out` at the documents held out, whose heads are the corpus's own; without treebanks
    these are `uas`. `pairs` scores all files of minimal pairs together. Other probes look at what
    `uas` looks at.

    Raises:
        UserError: an unknown probe; one that there are no data for; rows that do not fit one.
    """
    trees = [source for source in sources if not source.is_pairs]
    pairs = [row for source in sources if source.is_pairs for row in source.rows]
    own = ProbeSource(HELD_OUT, held_out, None)
    parsed = bool(held_out) and {"heads", "deprels"} <= set(held_out[0])
    if parsed:
        trees.append(own)
    default = defaults(trees=bool(trees), pairs=bool(pairs))
    names = named_probes(arguments.probes, default)
    drawn = {one.name: _drawn(one.rows, arguments, data, tokenizer) for one in [*trees, own]}
    first = trees[0].name if trees else HELD_OUT
    built = []
    for name in names:
        if name == "pairs":
            rows = _some_of_each(pairs, arguments.probe_pairs, data.evaluation_seed)
            if not rows:
                raise _nothing_for(name, "a file of minimal pairs")
        elif name == "uas" and not trees:
            raise _nothing_for(name, "a treebank")
        else:
            rows = drawn[first]
        built.append(_build(name, rows, tokenizer))
        if name == "uas":
            built += [
                _build(name, drawn[one.name], tokenizer).named(f"uas_{one.name}")
                for one in trees[1:]
            ]
    return built


def _nothing_for(probe: str, what: str) -> UserError:
    return UserError(
        f"the probe {probe} has nothing to look at: name {what} with --probe_data NAME=FILE, or "
        "leave it out of --probes"
    )


def _build(name: str, rows: Any, tokenizer: PreTrainedTokenizerBase) -> Probe:
    """A probe that lets unknown words stay, and puts a start token where there is none."""
    taken = inspect.signature(probe_class(name).__init__).parameters
    options = {key: True for key in ("allow_unknown", "add_start") if key in taken}
    if tokenizer.bos_token_id is None and tokenizer.cls_token_id is None:
        options.pop("add_start", None)
    return build_probe(name, rows, tokenizer, **options)


def _drawn(
    rows: Any, arguments: ProbeArguments, data: DataArguments, tokenizer: PreTrainedTokenizerBase
) -> list[dict[str, Any]]:
    """At most `probe_examples` rows that fit into a training row, drawn by `evaluation_seed`."""
    order = np.random.default_rng(data.evaluation_seed).permutation(len(rows))
    chosen: list[int] = []
    for at in order.tolist():
        tokens = tokenizer(list(rows[at]["words"]), is_split_into_words=True)["input_ids"]
        if len(tokens) < data.row_tokens:
            chosen.append(at)
        if len(chosen) == arguments.probe_examples:
            break
    return [dict(rows[at]) for at in sorted(chosen)]


def _some_of_each(pairs: list[Any], most: int, seed: int) -> list[dict[str, Any]]:
    """At most so many pairs of each paradigm."""
    order = np.random.default_rng(seed).permutation(len(pairs))
    taken: dict[str, int] = {}
    chosen = []
    for at in order.tolist():
        paradigm = str(pairs[at]["UID"])
        if taken.get(paradigm, 0) < most:
            taken[paradigm] = taken.get(paradigm, 0) + 1
            chosen.append(at)
    return [dict(pairs[at]) for at in sorted(chosen)]
