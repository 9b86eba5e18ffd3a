"""Tokenizers of every kind, sentences with arbitrary trees, and attention UAS by loops."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hf_grok.models import word_level_tokenizer
from tests.real_data import EWT

WORDS = ("the", "newts", "unhappy", "don't", "smile", ".")
SPECIALS = ("<pad>", "<s>", "</s>", "<unk>")
RELATIONS = ("nsubj", "det", "punct", "nmod:poss")
MERGES = ("th", "the", "ne", "new", "newt", "un", "do", "don", "smi")


def _fast(tokenizer: Tokenizer, **options: Any) -> PreTrainedTokenizerFast:
    options = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", **options}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **options)


def _between(start: str, end: str) -> processors.TemplateProcessing:
    numbered = [(token, SPECIALS.index(token)) for token in ("<s>", "</s>")]
    return processors.TemplateProcessing(
        single=f"{start} $A {end}".strip(), special_tokens=numbered
    )


def wordpiece(**options: Any) -> PreTrainedTokenizerFast:
    """newt ##s, un ##hap ##py, don ' t; one token in front and one behind."""
    subwords = ("the", "newt", "##s", "un", "##hap", "##py", "don", "'", "t", "smile", ".")
    numbered = {subword: number for number, subword in enumerate((*SPECIALS, *subwords))}
    tokenizer = Tokenizer(models.WordPiece(numbered, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = _between("<s>", "</s>")
    return _fast(tokenizer, unk_token="<unk>", cls_token="<s>", sep_token="</s>", **options)


def byte_level(*, prefix: bool) -> PreTrainedTokenizerFast:
    """Spaces belong to the word behind them; nothing is put in front, as in GPT-2."""
    letters = sorted({*"".join(WORDS), "Ġ"})
    merges = [*_pairs(MERGES), ("Ġ", "the"), ("Ġ", "newt"), ("Ġ", "un")]
    made = ("".join(pair) for pair in merges)
    numbered = {subword: number for number, subword in enumerate((*SPECIALS, *letters, *made))}
    tokenizer = Tokenizer(models.BPE(numbered, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    tokenizer.decoder = decoders.ByteLevel()
    return _fast(tokenizer)


def metaspace(scheme: str = "always", *, split: bool = True) -> PreTrainedTokenizerFast:
    """Unigram subwords with ▁ for spaces, as sentencepiece writes them; one token in front."""
    subwords = [(token, 0.0) for token in SPECIALS]
    subwords += [(letter, -9.0) for letter in sorted({*"".join(WORDS), "▁"})]
    subwords += [
        (subword, -3.0) for subword in ("▁the", "the", "▁new", "ts", "▁un", "happy", "le▁")
    ]
    tokenizer = Tokenizer(models.Unigram(subwords, unk_id=SPECIALS.index("<unk>")))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split)
    tokenizer.post_processor = _between("<s>", "")
    return _fast(tokenizer, unk_token="<unk>")


def prepended() -> PreTrainedTokenizerFast:
    """BPE over the whole text with ▁ for spaces, as Llama's: no pre-tokenizer."""
    letters = sorted({*"".join(WORDS), "▁"})
    merges = [*_pairs(MERGES), ("▁", "the"), ("▁", "newt")]
    made = ("".join(pair) for pair in merges)
    numbered = {subword: number for number, subword in enumerate((*SPECIALS, *letters, *made))}
    tokenizer = Tokenizer(models.BPE(numbered, merges, unk_token="<unk>", fuse_unk=True))
    spaces = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    tokenizer.normalizer = normalizers.Sequence(spaces)
    tokenizer.post_processor = _between("<s>", "")
    return _fast(tokenizer, unk_token="<unk>")


def word_level() -> PreTrainedTokenizerFast:
    """One subword a word, <s> in front."""
    return word_level_tokenizer(WORDS)


def _pairs(merged: Sequence[str]) -> list[tuple[str, str]]:
    """How each subword is merged of two that came before it, or of letters."""
    pairs: list[tuple[str, str]] = []
    known: set[str] = set()
    for subword in merged:
        cuts = [(subword[:cut], subword[cut:]) for cut in range(len(subword) - 1, 0, -1)]
        fitting = (c for c in cuts if all(len(half) == 1 or half in known for half in c))
        pairs += [pair for pair in [next(fitting, None)] if pair]
        known.add(subword)
    return pairs


def rows_of(count: int, *, seed: int = 0, longest: int = 6) -> list[dict[str, Any]]:
    """Sentences of arbitrary words and trees, of one to `longest` words."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        size = draw.randint(1, longest)
        heads, order = [0] * size, draw.sample(range(1, size + 1), size)
        for place, word in enumerate(order[1:], start=1):  # each hangs on one that hangs already
            heads[word - 1] = draw.choice(order[:place])
        deprels = ["root" if head == 0 else draw.choice(RELATIONS) for head in heads]
        words = [draw.choice(WORDS) for _ in range(size)]
        rows.append({"words": words, "heads": heads, "deprels": deprels})
    return rows


def treebank_rows() -> list[dict[str, Any]]:
    """The sentences of `EWT`, without multiword ranges and empty nodes."""
    rows = []
    for block in EWT.read_text(encoding="utf-8").strip().split("\n\n"):
        lines = [line.split("\t") for line in block.split("\n") if not line.startswith("#")]
        plain = [line for line in lines if line[0].isdigit()]
        heads = [int(line[6]) for line in plain]
        words, deprels = ([line[column] for line in plain] for column in (1, 7))
        rows.append({"words": words, "heads": heads, "deprels": deprels})
    return rows


def places_of(tokenizer: PreTrainedTokenizerFast, words: Sequence[str]) -> list[int]:
    """The word of each subword of running text, found by spelling the words out; -1: of none."""
    places, place, spelt = [], 0, ""
    for token in tokenizer(" ".join(words)).tokens():
        if token in SPECIALS:
            places.append(-1)
            continue
        if spelt == words[place]:
            place, spelt = place + 1, ""
        spelt += token.removeprefix("##").strip("▁Ġ")
        assert words[place].startswith(spelt)
        places.append(place)
    assert (place, spelt) == (len(words) - 1, words[-1])
    return places


@dataclass
class Found:
    """One gold arc, and what each (layer, head, direction) makes of it."""

    half: int
    relation: str
    offset: int
    hits: dict[tuple[int, int, int], bool]
    mass: dict[tuple[int, int, int], float]


@dataclass
class Searched:
    """All arcs of some rows, with what is not an arc."""

    arcs: list[Found]
    roots: list[int]  # the half of each
    left_out: list[Found]  # only sinks: never of a bidirectional model


def word_maps(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, words: Sequence[str], start: bool
) -> np.ndarray:
    """[layer, head, attending word, attended word], the diagonal 0; a sentence at a time."""
    ids, places = tokenizer(" ".join(words))["input_ids"], places_of(tokenizer, words)
    if start and places[0] == 0:
        ids, places = [tokenizer.bos_token_id, *ids], [-1, *places]
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    with torch.no_grad():
        maps = model(input_ids=torch.tensor([ids]), output_attentions=True).attentions
    model.set_attn_implementation(before)
    subwords = [[p for p, place in enumerate(places) if place == w] for w in range(len(words))]
    between = np.zeros((len(maps), maps[0].shape[1], len(words), len(words)))
    for layer, head, i, j in np.ndindex(*between.shape):
        if i != j:
            map_ = maps[layer][0, head].double().numpy()
            between[layer, head, i, j] = np.mean([map_[p, subwords[j]].sum() for p in subwords[i]])
    return between


def search(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    rows: Sequence[dict[str, Any]],
    *,
    causal: bool,
    start: bool = False,
) -> Searched:
    """Every arc of every row, word by word and head by head, from the definition."""
    searched = Searched([], [], [])
    for number, row in enumerate(rows):
        words, half = row["words"], number % 2
        hidden = int(causal and not start and places_of(tokenizer, words)[0] == 0)
        maps = word_maps(model, tokenizer, words, start)
        maps[:, :, :, :hidden] = 0
        for i, head in enumerate(row["heads"]):
            if len(words) - hidden > 1 and head == 0:
                searched.roots.append(half)
            elif head and min(i, head - 1) < hidden:
                searched.left_out.append(Found(half, row["deprels"][i], abs(head - 1 - i), {}, {}))
            elif head and len(words) > 1:
                arc = Found(half, row["deprels"][i], head - 1 - i, {}, {})
                _look(arc, maps, i, head - 1, causal)
                searched.arcs.append(arc)
    return searched


def _look(arc: Found, maps: np.ndarray, i: int, gold: int, causal: bool) -> None:
    for layer, head in np.ndindex(*maps.shape[:2]):
        row, column = maps[layer, head, i, :], maps[layer, head, :, i]
        if causal:
            arc.offset = abs(arc.offset)
            directions = [row if gold < i else column]
        else:
            directions = [row, column]
        for direction, weights in enumerate(directions):
            key = (layer, head, direction)
            arc.hits[key] = bool(np.argmax(weights) == gold and weights[gold] > 0)
            arc.mass[key] = float(weights[gold])


def oracle_numbers(
    searched: Searched, *, causal: bool, selection: str, minimum_count: int
) -> dict[str, float]:
    """The numbers of attention UAS from its definition, by counting."""
    same = selection == "same"
    on = [a for a in searched.arcs if same or a.half == 0]
    scored = [a for a in searched.arcs if same or a.half == 1]
    roots = len([h for h in searched.roots if same or h == 1])
    offsets = [1, 2, 3] if causal else [-3, -2, -1, 1, 2, 3]
    by_offset = {o: lambda a, o=o: float(a.offset == o) for o in offsets}
    keys = list(searched.arcs[0].hits)
    by_hits = {k: lambda a, k=k: float(a.hits[k]) for k in keys}
    by_mass = {k: lambda a, k=k: a.mass[k] for k in keys}

    def best(ways: dict[Any, Any], on: list[Found], scored: list[Found]) -> float:
        way = max(ways.values(), key=lambda way: sum(way(a) for a in on))  # of equals the first
        return sum(way(a) for a in scored)

    def of(arcs: list[Found], relation: str) -> list[Found]:
        return [a for a in arcs if a.relation == relation]

    plain_on, plain = ([a for a in arcs if a.relation != "punct"] for arcs in (on, scored))
    numbers = {
        "uas_single_head": best(by_hits, on, scored) / (len(scored) + roots),
        "uas_single_offset": best(by_offset, on, scored) / (len(scored) + roots),
        "uas_single_head_without_punct": best(by_hits, plain_on, plain) / len(plain),
        "uas_single_offset_without_punct": best(by_offset, plain_on, plain) / len(plain),
        "uas_arcs": float(len(scored)),
        "uas_left_out": float(len([a for a in searched.left_out if same or a.half == 1])),
    }
    for o, way in by_offset.items():
        label = str(o) if causal else f"{o:+d}"
        numbers[f"uas_offset_{label}"] = sum(way(a) for a in scored) / (len(scored) + roots)
    totals: dict[str, float] = defaultdict(float)
    everything = [*searched.arcs, *searched.left_out]
    commonest = {r: _commonest(of(everything, r)) for r in RELATIONS}
    for relation in RELATIONS:
        mine_on, mine = of(on, relation), of(scored, relation)
        if len(mine) >= minimum_count and mine_on:
            for name, mean, ways in (
                ("relation", "best_head", by_hits),
                ("relation_offset", "best_offset", by_offset),
                ("mass", "attention_mass", by_mass),
            ):
                cases = best(ways, mine_on, mine)
                numbers[f"uas_{name}_{relation}"] = cases / len(mine)
                totals[mean] += cases
            totals["arcs"] += len(mine)
        odd_on, odd = (
            [a for a in arcs if a.offset != commonest[relation]] for arcs in (mine_on, mine)
        )
        if len(odd) >= minimum_count and odd_on:
            totals["atypical"] += best(by_hits, odd_on, odd)
            totals["atypical_offset"] += best(by_offset, odd_on, odd)
            totals["odd"] += len(odd)
    for name in ("best_head", "best_offset", "attention_mass"):
        if totals["arcs"]:
            numbers[f"uas_{name}"] = totals[name] / totals["arcs"]
    for name in ("atypical", "atypical_offset"):
        if totals["odd"]:
            numbers[f"uas_{name}"] = totals[name] / totals["odd"]
    return numbers


def _commonest(arcs: list[Found]) -> int | None:
    counts = Counter(arc.offset for arc in arcs)
    return max(counts, key=lambda o: (counts[o], -abs(o), -o), default=None)
