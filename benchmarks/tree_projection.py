"""Span similarities of tree projection against the definition, and against the arithmetic floor.

    python benchmarks/tree_projection.py [--quick] [--only d128] [--kinds causal]
    python benchmarks/tree_projection.py --branching

One run compares, for the same model and the same sentences of question formation, in turns:

- ours: `hf_grok.probes.trees.span_states.span_similarities`, what TreeProjection runs on;
- a pass a span: the definition as one writes it first: for each sentence and each span of it a mask
  is written, the sentence is run through it, and the cosine is taken, one after the other;
- a pass a sentence: the same, but all spans of a sentence are one batch;
- floor: the multiply-adds of the tokens that have to be run (n (n + 3) / 2 for a sentence of n
  words in a causal model; every span with its two special tokens in a bidirectional one), at the
  rate of this machine's matrix products of the same shapes, measured in the same turns.

All three give the same similarities to 1e-5, or the run fails. `--branching` prints instead what
branching one way, and at random, scores on the sentences of the builders' test splits.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from math import ceil
from statistics import mean
from typing import Any

import torch
from matrix_floor import Product, finish
from plain_loop import Size
from torch import Tensor
from training_step import print_load, print_machine
from transformers import BertConfig, BertForMaskedLM, PreTrainedModel, PreTrainedTokenizerBase
from turns import Turns, multiply

from hf_grok.annotation.alignment import encode_words
from hf_grok.datasets_scripts import QuestionFormation, TenseInflection
from hf_grok.models import (
    VanillaTransformerConfig,
    VanillaTransformerForCausalLM,
    word_level_tokenizer,
)
from hf_grok.probes.trees.baselines import f_scores, span_matches
from hf_grok.probes.trees.sentences import gold_trees, projected_sentences
from hf_grok.probes.trees.span_rows import CPU_TOKENS, SpanSentences, lay_out
from hf_grok.probes.trees.span_states import span_similarities

# The sizes of the quick recipe and of the paper's model.
SIZES = {"d128": Size(6, 128, 512, 8, 8), "d512": Size(6, 512, 2048, 8, 8)}
KINDS = ("causal", "bidirectional")
SPLITS = ("test", "generalization")
BUILDERS = {"question formation": QuestionFormation, "tense inflection": TenseInflection}
OURS, PRODUCTS = "ours", "products"
PLAIN = ("a pass a span", "a pass a sentence")
EQUAL = 1e-5


def question_sentences(split: str, count: int) -> list[tuple[str, ...]]:
    """The source sentences of the first `quest` lines of a split, without their period."""
    sizes = {f"{name}_size": 0 for name in ("train", "validation", *SPLITS)}
    builder = QuestionFormation("default", **(sizes | {f"{split}_size": 4 * count}))
    asking = builder.info.features["task"].str2int("quest")
    rows = [row for row in map(builder.row, builder.examples(split)) if row["task"] == asking]
    sentences = projected_sentences(rows[:count], drop_final_punctuation=True)
    return [sentence.words for sentence in sentences]


def tokenizer_of(kind: str) -> PreTrainedTokenizerBase:
    vocabulary = QuestionFormation("default").vocabulary
    return word_level_tokenizer(vocabulary, append_end=kind == "bidirectional")


def model_of(kind: str, size: Size, vocabulary: int) -> PreTrainedModel:
    sizes = {
        "vocab_size": vocabulary,
        "hidden_size": size.width,
        "intermediate_size": size.inner,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
    }
    torch.manual_seed(0)
    if kind == "causal":
        return VanillaTransformerForCausalLM(VanillaTransformerConfig(**sizes)).eval()
    return BertForMaskedLM(BertConfig(**sizes)).eval()


def plain_similarities(
    model: PreTrainedModel, sentences: SpanSentences, *, causal: bool, batched: bool
) -> list[Tensor]:
    """SCI of every span of every sentence, one sentence at a time, one cosine at a time."""
    charts = []
    for ids, length, words in zip(
        sentences.ids, sentences.lengths.tolist(), sentences.words.tolist(), strict=True
    ):
        ids = ids[None, :length]
        full = last_states(model, ids)[0]
        spans = [(i, j) for i in range(words) for j in range(i + 1, words + 1)]
        chart = torch.zeros(words + 1, words + 1)
        step = len(spans) if batched else 1
        for first in range(0, len(spans), step):
            some = spans[first : first + step]
            mask = torch.stack([plain_mask(length, words, *span, causal=causal) for span in some])
            mask = mask.to(ids.device)
            alone = last_states(model, ids.expand(len(some), -1), attention_mask=mask[:, None])
            for states, (i, j) in zip(alone, some, strict=True):
                inside = slice(i + 1, j + 1)  # the start token is token 0
                chart[i, j] = torch.cosine_similarity(full[inside].sum(0), states[inside].sum(0), 0)
        charts.append(chart)
    return charts


def last_states(model: PreTrainedModel, ids: Tensor, **inputs: Tensor) -> Tensor:
    """As one asks a language model for them."""
    return model(input_ids=ids, output_hidden_states=True, **inputs).hidden_states[-1]


def plain_mask(length: int, words: int, start: int, end: int, *, causal: bool) -> Tensor:
    """0 where a token may look, the least number elsewhere: inside the span, and at specials."""
    visible = torch.zeros(length, length, dtype=torch.bool)
    visible[:, 0] = True
    visible[:, words + 1 :] = True
    visible[:, start + 1 : end + 1] = True
    if causal:
        visible = visible.tril()
    return torch.zeros(length, length).masked_fill(~visible, torch.finfo(torch.float32).min)


def lengths_of_rows(words: Sequence[int], *, causal: bool) -> list[int]:
    """Tokens of each row that has to be run, special tokens included."""
    if causal:
        return [1 + n - start for n in words for start in range(n)]
    return [2 + end - start for n in words for start in range(n) for end in range(start + 1, n + 1)]


def operations(size: Size, lengths: Sequence[int], *, causal: bool) -> int:
    """Floating-point operations of the rows (an addition and a product are two)."""
    parameters = 4 * size.width**2 + 2 * size.width * size.inner
    linear = sum(2 * parameters * length for length in lengths)
    pairs = sum(length * (length + 1) // 2 if causal else length**2 for length in lengths)
    return size.layers * (linear + 4 * size.width * pairs)


def products_of(size: Size, tokens: int) -> list[Product]:
    """The linear maps of so many tokens, in batches as ours has them."""
    width, inner = size.width, size.inner
    shapes = ((width, 3 * width), (width, width), (width, inner), (inner, width))
    times = size.layers * ceil(tokens / CPU_TOKENS)
    return [Product(1, CPU_TOKENS, *shape, times, right_transposed=True) for shape in shapes]


class Comparison:
    """Ours, the plain ways and the floor, for one kind of model at one size."""

    def __init__(self, kind: str, size: Size, texts: Sequence[Sequence[str]], device: str) -> None:
        self.size, self.causal = size, kind == "causal"
        tokenizer = tokenizer_of(kind)
        model = model_of(kind, size, len(tokenizer)).to(device)
        laid_out = lay_out(encode_words(texts, tokenizer))
        sentences = laid_out.select(torch.arange(len(texts)), torch.device(device))
        self.words = sentences.words.tolist()
        self.lengths = lengths_of_rows(self.words, causal=self.causal)
        plain = partial(plain_similarities, model, sentences, causal=self.causal)
        self.products = products_of(size, sum(self.lengths))
        operands = [
            (product, *(one.to(device) for one in product.operands())) for product in self.products
        ]
        self.turns = Turns(
            {
                OURS: lambda: span_similarities(model, sentences).cpu(),
                PLAIN[0]: partial(plain, batched=False),
                PLAIN[1]: partial(plain, batched=True),
                PRODUCTS: lambda: (multiply(operands), finish(device)),
            }
        )
        self.difference = 0.0

    def run(self, rounds: int) -> None:
        """Time every way, and compare their similarities."""
        for results in self.turns.rounds(rounds):
            found = [largest_difference(results[OURS], results[name]) for name in PLAIN]
            self.difference = max(self.difference, *found)

    def report(self) -> None:
        """Print the table, and fail if the similarities are not the same."""
        work = operations(self.size, self.lengths, causal=self.causal)
        done = sum(product.operations for product in self.products)
        rate = done / self.turns.seconds(PRODUCTS)
        plain_tokens = sum(n * (n + 1) // 2 * (n + 1 if self.causal else n + 2) for n in self.words)
        print(
            f"{len(self.words)} sentences of {mean(self.words):.1f} words; ours runs "
            f"{sum(self.lengths):,} tokens, the plain ways {plain_tokens:,} "
            f"({plain_tokens / sum(self.lengths):.1f} times as many); the floor is "
            f"{work / 1e9:.1f} G operations at {rate / 1e9:.0f} G a second"
        )
        self.turns.table((OURS, *PLAIN), work / rate)
        print(f"largest difference of a similarity: {self.difference:.1e}")
        if self.difference > EQUAL:
            raise SystemExit(f"expected at most {EQUAL:.0e}")


def largest_difference(chart: Tensor, plain: Sequence[Tensor]) -> float:
    """Between the similarities of all spans, in one chart and in those of each sentence."""
    return max(
        float((ours[: len(theirs), : len(theirs)] - theirs).abs().max())
        for ours, theirs in zip(chart, plain, strict=True)
    )


def print_branching() -> None:
    """F1 of trees that have not seen the sentence, on the builders' test splits."""
    print(f"{'test split':<32}{'sentences':>10}{'words':>7}{'right':>8}{'left':>8}{'random':>8}")
    for language, kind in BUILDERS.items():
        builder = kind("default")
        rows = list(map(builder.row, builder.examples("test")))
        tasks = builder.info.features["task"].names
        for task, name in enumerate((*tasks, "all")):
            some = [row for row in rows if row["task"] == task or name == "all"]
            print_scores(f"{language}, {name}", some)


def print_scores(name: str, rows: list[dict[str, Any]]) -> None:
    sentences = projected_sentences(rows, drop_final_punctuation=True)
    words = torch.tensor([len(sentence.words) for sentence in sentences])
    gold = gold_trees(sentences)
    _, right, left, random = f_scores(**span_matches(gold, gold, words))
    length = float(words.double().mean())
    print(f"{name:<32}{len(rows):>10,}{length:>7.1f}{right:>8.4f}{left:>8.4f}{random:>8.4f}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sentences", type=int, default=100, help="`quest` lines that are run")
    parser.add_argument("--split", choices=SPLITS, default="test", help="where they come from")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each way gets")
    parser.add_argument("--only", choices=SIZES, help="one size instead of both")
    parser.add_argument("--kinds", choices=KINDS, nargs="+", default=KINDS, help="of model")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--quick", action="store_true", help="few sentences, one round, d 128")
    parser.add_argument("--branching", action="store_true", help="print branching baselines only")
    options = parser.parse_args(arguments)
    if options.branching:
        print_branching()
        return
    if options.quick:
        options.sentences, options.rounds, options.only = 10, 1, "d128"
    torch.set_num_threads(options.threads)
    print_machine()
    texts = question_sentences(options.split, options.sentences)
    for name in [options.only] if options.only else SIZES:
        for kind in options.kinds:
            print(f"\n{kind}, {SIZES[name]}, {options.threads} thread(s)", flush=True)
            print_load()
            compared = Comparison(kind, SIZES[name], texts, options.device)
            with torch.no_grad():
                compared.run(options.rounds)
            compared.report()
    print_load()


if __name__ == "__main__":
    main()
