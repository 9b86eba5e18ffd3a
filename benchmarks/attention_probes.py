"""What attention UAS and sparsity add to a forward pass, and what a loop over the maps costs.

    python benchmarks/attention_probes.py [--quick] [--size small] [--data FILE.conllu]

One run compares, on the same sentences, in turns:

- forward: the model alone, with eager attention, in the probes' own batches;
- uas, sparsity: the probes' `state`, which is that forward pass and the reduction of its maps;
- loop: the same counts by a Python loop over sentences, layers, heads and words, as scripts for
  one checkpoint are written; only what it does with the maps is timed, on `--loop-sentences`.

The floor of a reduction is one pass over the maps: they are copied once, in the same run. On a CPU
everything runs on one thread and times are the processor's, which other busy processes disturb
less than wall times, but do disturb: the load of others is printed. What a probe adds is given
twice: as the time inside its own code, and as the difference of two turns, which is less than turns
vary by. Peak memory is that of a process of its own for each line.

Sentences are made up, about as long as those of UD English EWT, unless --data names a CoNLL-U file.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor
from training_step import print_load, print_machine
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

from hf_grok.annotation.alignment import encode_words
from hf_grok.attention.maps import (
    batch_inputs,
    eager_attention,
    for_each_layer,
)
from hf_grok.datasets_scripts import Treebank
from hf_grok.measurement.length_batches import length_batches, token_budget
from hf_grok.models.text_model import transformer_of
from hf_grok.probes import sparsity
from hf_grok.probes.sparsity import AttentionSparsity
from hf_grok.probes.uas import sums as uas_sums
from hf_grok.probes.uas.probe import AttentionUAS

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
PIECE = 5  # letters of a token of a rare word


# Layers, width, heads.
Size = tuple[int, int, int]
SIZES: dict[str, Size] = {"bert-base": (12, 768, 12), "small": (4, 128, 4), "tiny": (2, 32, 2)}


def made_up_rows(count: int) -> list[dict[str, Any]]:
    """Sentences of 13 words on average, up to 70, with arbitrary arcs."""
    draw = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    forms = ["".join(draw.choices(letters, k=draw.randint(1, 11))) for _ in range(6000)]
    weights = [1 / rank for rank in range(1, len(forms) + 1)]
    rows = []
    for size in (min(70, 2 + int(draw.gammavariate(1.3, 8.5))) for _ in range(count)):
        root = draw.randrange(size)
        heads = [
            0 if i == root else (i + draw.randint(1, size - 1)) % size + 1 for i in range(size)
        ]
        deprels = ["root" if not head else f"relation{draw.randrange(40)}" for head in heads]
        words = draw.choices(forms, weights, k=size)
        rows.append({"words": words, "heads": heads, "deprels": deprels})
    return rows


def tokenizer_of(rows: Sequence[dict[str, Any]]) -> PreTrainedTokenizerFast:
    """WordPiece: words seen three times are one token, others are cut every few letters."""
    counts = Counter(word for row in rows for word in row["words"])
    tokens = {word for word, count in counts.items() if count > 2}
    for word in counts:
        cut = [word[start : start + PIECE] for start in range(0, len(word), PIECE)]
        tokens |= {cut[0], *(f"##{token}" for token in cut[1:])}
    numbered = {token: number for number, token in enumerate((*SPECIALS, *sorted(tokens)))}
    tokenizer = Tokenizer(models.WordPiece(numbered, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]")


class Material:
    """The model, the sentences and the probes of one comparison."""

    def __init__(self, size: Size, rows: list[dict[str, Any]], device: str) -> None:
        self.rows, self.device = rows, torch.device(device)
        tokenizer = tokenizer_of(rows)
        self.words = encode_words([row["words"] for row in rows], tokenizer, allow_unknown=True)
        torch.manual_seed(0)
        layers, width, heads = size
        sizes = {"num_hidden_layers": layers, "num_attention_heads": heads, "hidden_size": width}
        config = BertConfig(vocab_size=len(tokenizer), intermediate_size=4 * width, **sizes)
        self.model = BertForMaskedLM(config).eval().to(self.device)
        self.uas = AttentionUAS(rows, tokenizer, selection="same", allow_unknown=True)
        self.sparsity = AttentionSparsity(rows, tokenizer, allow_unknown=True)

    def forward(self) -> None:
        """The model alone, without its output layer, over the probes' batches."""
        transformer = transformer_of(self.model)
        for inputs in self.batches():
            transformer(**inputs)

    def batches(self) -> Iterator[dict[str, Any]]:
        lengths, budget = self.words.lengths, token_budget(self.device)
        with torch.no_grad(), eager_attention(self.model):
            for batch in length_batches(lengths, range(len(lengths)), budget):
                yield batch_inputs(self.words, batch, self.device, causal=False)

    def copy_maps(self) -> float:
        """Seconds that one copy of every map takes: the floor of what looks at all of them."""
        clock = Clock(self.device)

        def copy(layer: int, attention: Tensor) -> None:
            with clock:
                attention.clone()

        for inputs in self.batches():
            for_each_layer(transformer_of(self.model), copy, **inputs)
        return clock.seconds


class Clock:
    """Adds up the seconds spent in `with clock:`: on one thread of a CPU, the processor's."""

    def __init__(self, device: torch.device) -> None:
        self._device, self.seconds = device, 0.0

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
            return time.perf_counter()
        return time.process_time()

    def __enter__(self) -> None:
        self._began = self._now()

    def __exit__(self, *_: object) -> None:
        self.seconds += self._now() - self._began

    @classmethod
    def of(cls, work: Callable[[], Any], device: torch.device) -> float:
        clock = cls(device)
        with clock:
            work()
        return clock.seconds


@contextmanager
def timed(kind: type, clock: Clock) -> Iterator[None]:
    """Have `clock` time what the sums of a probe do, batch by batch and layer by layer."""
    original = kind.adder

    def adder(self: Any, *arguments: Any) -> Callable[[int, Tensor], None]:
        with clock:
            add = original(self, *arguments)

        def timed_add(layer: int, attention: Tensor) -> None:
            with clock:
                add(layer, attention)

        return timed_add

    kind.adder = adder
    try:
        yield
    finally:
        kind.adder = original


def loop(material: Material, sentences: Sequence[int]) -> tuple[float, Counter]:
    """Seconds and hits of a loop over sentences, layers, heads and words; the model not timed."""
    transformer, clock = transformer_of(material.model), Clock(material.device)
    hits, mass = Counter(), Counter()
    with torch.no_grad(), eager_attention(material.model):
        for number in sentences:
            row = material.rows[number]
            length = int(material.words.lengths[number])
            ids = material.words.ids[number : number + 1, :length].to(material.device)
            reported = transformer(ids, output_attentions=True).attentions
            maps = [layer[0].cpu().numpy() for layer in reported]
            places = material.words.word_of[number, :length].tolist()
            with clock:
                count_sentence(row, places, maps, hits, mass)
    return clock.seconds, hits


def count_sentence(
    row: dict[str, Any], places: list[int], maps: list[np.ndarray], hits: Counter, mass: Counter
) -> None:
    """Add the arcs of one sentence that each (relation, layer, head, direction) finds, and mass."""
    tokens = [[p for p, place in enumerate(places) if place == w] for w in range(len(row["words"]))]
    for layer, heads in enumerate(maps):
        for head, map_ in enumerate(heads):
            columns = np.stack([map_[:, own].sum(1) for own in tokens], 1)
            words = np.stack([columns[own].mean(0) for own in tokens])
            np.fill_diagonal(words, 0)
            for word, (gold, relation) in enumerate(zip(row["heads"], row["deprels"], strict=True)):
                if gold == 0:
                    continue
                for direction, weights in enumerate((words[word], words[:, word])):
                    key = (relation, layer, head, direction)
                    hits[key] += weights.argmax() == gold - 1
                    mass[key] += weights[gold - 1]


def check_counts(material: Material, sentences: Sequence[int], found: Counter) -> None:
    """The loop and the probe must have found the same arcs."""
    state = material.uas.state(material.model, sentences)
    hits = state["hits"].sum((0, 1))
    for (relation, *place), cases in found.items():
        ours = float(hits[(material.uas.relations.index(relation), *place)])
        # Weights are summed in another order: a near tie may fall either way.
        if abs(ours - cases) > 1:
            raise SystemExit(f"{relation} {place}: {cases} arcs by the loop, {ours} by the probe")


def peak(size: Size, rows: list[dict[str, Any]], device: str, arm: str, connection: Any) -> None:
    """In a process of its own: bytes that `arm` takes beyond the model and the data."""
    torch.set_num_threads(1)
    material = Material(size, rows, device)
    work: dict[str, Callable[[], Any]] = {
        "forward": material.forward,
        "uas": lambda: material.uas.state(material.model),
        "sparsity": lambda: material.sparsity.state(material.model),
    }
    before = bytes_held(device, "now")
    work[arm]()
    connection.send(bytes_held(device, "at most") - before)


def bytes_held(device: str, when: str) -> int:
    if device == "cuda":
        held = {"now": torch.cuda.memory_allocated, "at most": torch.cuda.max_memory_allocated}
        return held[when]()
    if when == "now":
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def peak_of(size: Size, rows: list[dict[str, Any]], device: str, arm: str) -> int:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=peak, args=(size, rows, device, arm, theirs))
    process.start()
    taken: int = ours.recv()
    process.join()
    return taken


def compare(material: Material, rounds: int, loop_sentences: int) -> None:
    """Print the table of times."""
    model, device = material.model, material.device
    probes = {
        "uas": (material.uas, uas_sums.Sums),
        "sparsity": (material.sparsity, sparsity._Sums),
    }
    forward: list[float] = []
    whole: dict[str, list[float]] = {name: [] for name in probes}
    own: dict[str, list[float]] = {name: [] for name in probes}
    for number in range(rounds + 1):
        alone = Clock.of(material.forward, device)
        if number:  # the first round warms up
            forward.append(alone)
        for name, (probe, kind) in probes.items():
            clock = Clock(device)
            with timed(kind, clock):
                seconds = Clock.of(lambda probe=probe: probe.state(model), device)
            if number:
                whole[name].append(seconds)
                own[name].append(clock.seconds)
    copy = material.copy_maps()
    sentences = range(len(material.rows))[:: max(1, len(material.rows) // loop_sentences)]
    spent, found = loop(material, sentences)
    check_counts(material, sentences, found)
    alone = median(forward)
    print(f"forward alone {alone:8.3f} s  (rounds {min(forward):.3f} - {max(forward):.3f})")
    print(f"one copy of all maps {copy:.4f} s")
    print(
        f"{'':<12}{'state, s':>10}{'inside, s':>11}{'of forward':>12}{'by turns':>10}{'copies':>9}"
    )
    for name in probes:
        inside, turn = median(own[name]), median(whole[name])
        print(
            f"{name:<12}{turn:>10.3f}{inside:>11.4f}{inside / alone:>12.2%}"
            f"{turn / alone - 1:>10.2%}{inside / copy:>9.1f}"
        )
    inside, turn = (sum(median(times[name]) for name in probes) for times in (own, whole))
    print(
        f"{'both':<12}{turn:>10.3f}{inside:>11.4f}{inside / alone / 2:>12.2%}"
        f"{turn / alone / 2 - 1:>10.2%}{inside / copy:>9.1f}"
    )
    looped = spent / len(sentences) * len(material.rows)
    print(f"loop over the maps of {len(sentences)} sentences {spent:.2f} s, of all ", end="")
    print(f"{looped:.1f} s: {looped / median(own['uas']):.0f} times what uas adds")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="bert-base", help="of the model")
    parser.add_argument("--sentences", type=int, default=500, help="how many")
    parser.add_argument("--rounds", type=int, default=5, help="turns after the first")
    parser.add_argument("--loop-sentences", type=int, default=50, help="that the loop gets")
    parser.add_argument("--data", type=Path, help="a CoNLL-U file instead of made-up sentences")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--quick", action="store_true", help="a tiny model, few sentences")
    options = parser.parse_args(arguments)
    if options.quick:
        options.size, options.sentences, options.rounds, options.loop_sentences = "tiny", 60, 2, 10
    torch.set_num_threads(1)
    size = SIZES[options.size]
    rows = list(Treebank(options.data)) if options.data else made_up_rows(options.sentences)
    rows = [row for row in rows if len(row["words"]) > 1][: options.sentences]
    print_machine()
    print_load()
    material = Material(size, rows, options.device)
    tokens = int(material.words.lengths.sum())
    print(f"model     {options.size} (layers, width, heads: {size}), on {options.device}")
    print(f"data      {len(rows)} sentences, {tokens} tokens with [CLS] and [SEP]\n")
    compare(material, options.rounds, options.loop_sentences)
    print("\npeak memory beyond model and data, MB")
    for count in (len(rows) // 5, len(rows)):
        for arm in ("forward", "uas", "sparsity"):
            taken = peak_of(size, rows[:count], options.device, arm) / 1e6
            print(f"  {count:>5} sentences  {arm:<10}{taken:>9.1f}", flush=True)


if __name__ == "__main__":
    main()
