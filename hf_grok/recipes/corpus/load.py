"""From a prepared corpus to what a run reads: sequences with arcs, measures, probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_grok.annotation.scheme import scheme_mismatch
from hf_grok.errors import UserError
from hf_grok.probes import Probe
from hf_grok.recipes.arguments import DataArguments, ProbeArguments
from hf_grok.recipes.corpus.named import require_heads, scheme_of
from hf_grok.recipes.corpus.prepare import prepare
from hf_grok.recipes.corpus.prepared import TRAIN, VALIDATION, Prepared
from hf_grok.recipes.corpus.probes import ProbeSource, corpus_probes, probe_sources
from hf_grok.recipes.corpus.store import SHAM, Stored, add_sham
from hf_grok.recipes.data.arcs import SHAM_SEED
from hf_grok.recipes.data.language import LanguageData, training_sequences, validation_loss
from hf_grok.sas.batches.keys import HEADS, RELATIONS, SHAM_HEADS, SHAM_RELATIONS, WORD_OF
from hf_grok.sas.batches.published import special_ids
from hf_grok.sas.batches.rows import ArcRows

_COLUMNS = {
    "word_of": WORD_OF,
    "heads": HEADS,
    "relations": RELATIONS,
    "sham_heads": SHAM_HEADS,
    "sham_relations": SHAM_RELATIONS,
}


def load_corpus(
    arguments: DataArguments,
    probes: ProbeArguments,
    *,
    masked: bool,
    seed: int = 0,
    with_arcs: bool = False,
    with_sham: bool = False,
) -> LanguageData:
    """Everything a run reads of a corpus; its rows are mapped from the disk.

    Args:
        arguments: which corpus.
        probes: what is looked at inside the model.
        masked: whether the model is a masked language model, from which tokens are masked.
        seed: of what is masked from it in training.
        with_arcs: whether training batches carry the heads of their words.
        with_sham: and those of a random tree of each sentence, the same in every run.

    Raises:
        UserError: as `prepare`; arcs of a corpus that has none; probes that its data do not do for.
    """
    corpus = prepare(arguments, masked=masked)
    if with_arcs:
        require_heads(corpus.sources)
    stored = corpus.part(TRAIN)
    chosen = rows_of_an_epoch(stored.source, [source.weight for source in corpus.sources])
    arcs = None
    if with_arcs:
        if with_sham:
            add_sham(stored, corpus.vocabulary, SHAM_SEED)
        arcs = _arcs(corpus, stored, chosen, with_sham=with_sham)
    tokenizer = corpus.tokenizer
    train = training_sequences(
        stored.rows("ids").at(chosen), tokenizer, arguments, arcs, masked=masked, seed=seed
    )
    if not corpus.is_published:
        train.words = stored.words[chosen]
    loss = validation_loss(
        validation_texts(corpus, arguments), tokenizer, arguments, masked=masked, of_a_corpus=True
    )
    scheme = scheme_of(corpus.sources)
    looked_at = probe_sources(probes)
    built = corpus_probes(probes, arguments, corpus.held_out(), looked_at, tokenizer)
    evaluation = next((one.scheme for one in looked_at if not one.is_pairs), scheme)
    return LanguageData(
        tokenizer=tokenizer,
        train=train,
        measures=(loss.named("loss"),),
        test=None,
        fingerprint=corpus.fingerprint,
        probes=tuple(built),
        facts={**_facts(corpus, built), "schemes": schemes_of_gold(built, looked_at, scheme)},
        annotation={"training": scheme, "evaluation": evaluation},
    )


def schemes_of_gold(
    probes: Sequence[Probe], sources: Sequence[ProbeSource], own: str | None
) -> dict[str, str | None]:
    """Of each probe that scores attention, the annotation scheme of its gold arcs.

    Args:
        probes: of `corpus_probes`: `uas` looks at the first treebank, `uas_NAME` at others.
        sources: of `--probe_data`.
        own: of the corpus itself, whose documents held out are looked at.
    """
    gold = {source.name: source.scheme for source in sources if not source.is_pairs}
    first = next(iter(gold.values()), own)
    return {
        probe.name: gold.get(probe.name.removeprefix("uas_"), own) if "_" in probe.name else first
        for probe in probes
        if probe.name == "uas" or probe.name.startswith("uas_")
    }


def told_of_corpus(data: LanguageData) -> list[str]:
    """What a run says of its corpus: sizes, what it does not read, and schemes that differ."""
    facts = data.facts
    unit = "tokens that stand for words" if facts.get("published") else "words"
    told = [
        f"{facts['train']['words']:,} {unit} to train on in {facts['train']['rows']:,} rows, "
        f"{facts['validation']['words']:,} held out ({len(facts['held_out'])} of "
        f"{facts['documents']:,} documents); {facts['vocabulary']:,} tokens"
    ]
    told += _unread(facts["train"], unit)
    mismatch = scheme_mismatch(data.annotation["training"], data.annotation["evaluation"])
    return [*told, mismatch] if mismatch else told


def _unread(train: Mapping[str, Any], unit: str) -> list[str]:
    told, cut = list[str](), train["words_cut"]
    if cut:
        arcs, lost = train["arcs"]["arcs"], train["arcs"]["cut"]
        with_arcs = f" and {lost / (arcs + lost):.1%} of the arcs" if lost else ""
        told.append(
            f"{cut:,} more {unit} ({cut / (cut + train['words']):.1%}){with_arcs} are cut off, of "
            "sentences longer than a row: a larger --row_tokens reads them"
        )
    if train["left_out"]:
        told.append(
            f"{train['left_out']:,} sentences are left out: the tokenizer makes no token of one of "
            "their words"
        )
    return told


def rows_of_an_epoch(source: NDArray[np.int64], weights: list[float]) -> NDArray[np.int64]:
    """Numbers of the rows that an epoch reads, those of a source of weight 2.5 two or three times.

    Which rows have the part of a time more is spread evenly over the source.
    """
    parts = []
    for number, weight in enumerate(weights):
        rows = np.flatnonzero(source == number)
        times = np.diff(np.floor(weight * np.arange(len(rows) + 1) + 1e-9)).astype(np.int64)
        parts.append(np.repeat(rows, times))
    chosen = np.sort(np.concatenate(parts), kind="stable")
    if not len(chosen):
        raise UserError(f"weights {weights} leave no row to read: expected larger ones")
    return chosen


def _arcs(
    corpus: Prepared, stored: Stored, chosen: NDArray[np.int64], *, with_sham: bool
) -> ArcRows:
    columns = {}
    for name, own in _COLUMNS.items():
        if name in SHAM and not with_sham:
            continue
        columns[own] = stored.rows(name).at(chosen)
    return ArcRows.of_columns(columns, len(chosen), corpus.counts(TRAIN))


def validation_texts(corpus: Prepared, arguments: DataArguments) -> list[str]:
    """At most `evaluation_examples` rows of the validation part, drawn by `evaluation_seed`.

    Rows that were cut are left out, and of the published layout those whose text the tokenizer
    cuts otherwise than they came: their text would not be what the row holds.

    Raises:
        UserError: a number of examples below 0; a tokenizer that cuts no row as it came.
    """
    stored, wanted = corpus.part(VALIDATION), arguments.evaluation_examples
    if wanted < 0:
        raise UserError(f"evaluation_examples={wanted}: expected 0 (the whole split) or more")
    order = np.random.default_rng(arguments.evaluation_seed).permutation(len(stored))
    texts: list[str] = []
    words = np.array(corpus.vocabulary, dtype=object)
    special = special_ids(corpus.tokenizer)
    for row in order:
        own = stored.row_forms(int(row))
        text = corpus.text(words[own].tolist())
        ids = corpus.tokenizer(text)["input_ids"]
        given = not corpus.is_published or [one for one in ids if one not in special] == list(own)
        if given and len(ids) <= arguments.row_tokens:
            texts.append(text)
        if len(texts) == wanted:
            break
    if corpus.is_published and not texts:
        raise UserError(
            f"tokenizer {arguments.tokenizer!r} cuts none of the rows held out as their input_ids "
            "do: name the one that cut these data with --tokenizer"
        )
    return texts


def _facts(corpus: Prepared, probes: list[Probe]) -> dict[str, Any]:
    return {
        **corpus.facts,
        "sources": [source.name for source in corpus.sources],
        "probed": {probe.name: len(probe) for probe in probes},
    }
