"""Scores of minimal pairs against masking sentence by sentence, and against the arithmetic floor.

    python benchmarks/minimal_pairs.py [--quick] [--only d128] [--kinds masked] [--blimp FOLDER]

One run compares, for the same model and the same pairs, in turns:

- ours: `MinimalPairAccuracy.state`;
- a copy a pass: for each sentence and each token of it, mask the token, run the model, take one
  row of its logits (a causal model: a sentence a pass);
- a sentence a pass: the same, but all masked copies of a sentence are one batch;
- floor: the multiply-adds of running every distinct masked copy through the model, and its masked
  position through the head, at the rate of this machine's matrix products of the same shapes,
  measured in the same turns.

All give the same scores to 1e-3 nats a sentence, or the run fails. Pairs are made up: 4 to 14 words
at random, the bad sentence with another word in one place; `--blimp` takes BLiMP's files instead,
cut into words. Models have random weights.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import ceil
from statistics import mean
from typing import Any

import torch
from matrix_floor import Product
from plain_loop import Size
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from training_step import print_load, print_machine
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from turns import Turns, multiply

from hf_grok.datasets_scripts import read_minimal_pairs
from hf_grok.measurement.length_batches import TOKEN_BUDGET
from hf_grok.probes.pairs.probe import MinimalPairAccuracy

# BERT-base, and the size of the quick recipes; the last number of a size is not used here.
SIZES = {"base": Size(12, 768, 3072, 12, 1), "d128": Size(4, 128, 512, 8, 1)}
PAIRS = {"base": 8, "d128": 100}
VOCABULARY = 30_522  # BERT's
KINDS = ("masked", "causal")
OURS, PRODUCTS = "ours", "products"
COPY, SENTENCE = "a copy a pass", "a sentence a pass"
SPECIAL = {
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
    "unk_token": "[UNK]",
}
ENDS = {"bos_token_id": 1, "eos_token_id": 2}
EQUAL = 1e-3


def made_up_pairs(count: int, vocabulary: int) -> list[dict[str, str]]:
    generator = random.Random(0)
    words = [f"w{number}" for number in range(vocabulary - len(SPECIAL))]
    pairs = []
    for _ in range(count):
        good = generator.choices(words, k=generator.randint(4, 14))
        bad = [*good]
        bad[generator.randrange(len(bad))] = generator.choice(words)
        pairs.append(
            {"sentence_good": " ".join(good), "sentence_bad": " ".join(bad), "UID": "made_up"}
        )
    return pairs


def tokenizer_of(pairs: Sequence[dict[str, Any]], *, masked: bool) -> PreTrainedTokenizerFast:
    """A token a word; [CLS] in front, and [SEP] behind where the model is a masked one."""
    texts = [pair[key] for pair in pairs for key in ("sentence_good", "sentence_bad")]
    words = [*SPECIAL.values(), *sorted({word for text in texts for word in text.split()})]
    numbered = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(WordLevel(numbered, unk_token=SPECIAL["unk_token"]))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]" if masked else "[CLS] $A",
        special_tokens=[(name, numbered[name]) for name in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIAL)


def model_of(size: Size, vocabulary: int, *, masked: bool) -> PreTrainedModel:
    torch.manual_seed(0)
    sizes = {
        "vocab_size": vocabulary,
        "hidden_size": size.width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
    }
    if masked:
        return BertForMaskedLM(BertConfig(**sizes, intermediate_size=size.inner)).eval()
    return GPT2LMHeadModel(GPT2Config(**sizes, n_inner=size.inner, **ENDS)).eval()


def sentence_by_sentence(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], size: int
) -> list[float]:
    """Pseudo-log-likelihoods, `size` masked copies a pass (0: all of a sentence), all logits."""
    scores = []
    for text in texts:
        ids = torch.tensor(tokenizer(text)["input_ids"])
        places = torch.arange(1, len(ids) - 1)
        copies = ids.repeat(len(places), 1)
        copies[torch.arange(len(places)), places] = tokenizer.mask_token_id
        score = 0.0
        for few in torch.arange(len(places)).split(size or len(places)):
            rows = model(input_ids=copies[few]).logits[torch.arange(len(few)), places[few]]
            score += float(rows.log_softmax(-1)[torch.arange(len(few)), ids[places[few]]].sum())
        scores.append(score)
    return scores


def causal_sentence_by_sentence(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]
) -> list[float]:
    scores = []
    for text in texts:
        ids = torch.tensor(tokenizer(text)["input_ids"])
        rows = model(input_ids=ids[None]).logits[0, :-1].log_softmax(-1)
        scores.append(float(rows[torch.arange(len(ids) - 1), ids[1:]].sum()))
    return scores


def rows_to_run(sentences: Sequence[Sequence[int]], *, masked: bool) -> list[int]:
    """Lengths of the distinct sentences, or of their distinct masked copies."""
    if not masked:
        return [len(ids) for ids in set(map(tuple, sentences))]
    copies = {
        (place, *ids[:place], *ids[place + 1 :])
        for ids in sentences
        for place in range(1, len(ids) - 1)
    }
    return [len(copy) for copy in copies]


def products_of(
    size: Size, vocabulary: int, lengths: Sequence[int], *, masked: bool
) -> Iterator[Product]:
    """Every matrix product that cannot be left out, in batches as large as ours.

    Args:
        size: of the model.
        vocabulary: rows of the output layer.
        lengths: tokens of each row that is run.
        masked: whether one token a row is scored, or all but the first.
    """
    width, inner, layers = size.width, size.inner, size.layers
    tokens, runs = sum(lengths), len(lengths)
    scored = runs if masked else tokens - runs
    batches = ceil(tokens / TOKEN_BUDGET["cpu"])
    rows, kept = ceil(tokens / batches), ceil(scored / batches)
    for shape in ((width, 3 * width), (width, width), (width, inner), (inner, width)):
        yield Product(1, rows, *shape, batches * layers, right_transposed=True)
    if masked:
        yield Product(1, kept, width, width, batches, right_transposed=True)
    yield Product(1, kept, width, vocabulary, batches, right_transposed=True)
    length, head = round(tokens / runs), width // size.heads
    several = ceil(runs / batches) * size.heads
    yield Product(several, length, head, length, batches * layers, right_transposed=True)
    yield Product(several, length, length, head, batches * layers)


class Comparison:
    """Ours, sentence by sentence and the floor, for one kind of model at one size."""

    def __init__(
        self, kind: str, size: Size, vocabulary: int, pairs: Sequence[dict[str, Any]]
    ) -> None:
        masked = kind == "masked"
        tokenizer = tokenizer_of(pairs, masked=masked)
        model = model_of(size, vocabulary, masked=masked)
        probe = MinimalPairAccuracy(pairs, tokenizer)
        texts = [pair[key] for key in ("sentence_good", "sentence_bad") for pair in pairs]
        self.sentences = tokenizer(texts)["input_ids"]
        lengths = rows_to_run(self.sentences, masked=masked)
        self.plain: dict[str, Callable[[], list[float]]] = {
            COPY: partial(sentence_by_sentence, model, tokenizer, texts, 1),
            SENTENCE: partial(sentence_by_sentence, model, tokenizer, texts, 0),
        }
        if not masked:
            plain = partial(causal_sentence_by_sentence, model, tokenizer, texts)
            self.plain = {SENTENCE: plain}
        products = list(products_of(size, vocabulary, lengths, masked=masked))
        self.operations = sum(product.operations for product in products)
        operands = [(product, *product.operands()) for product in products]
        self.turns = Turns(
            {
                OURS: partial(probe.state, model),
                PRODUCTS: partial(multiply, operands),
                **self.plain,
            }
        )
        self.difference = 0.0

    def run(self, rounds: int) -> None:
        """Time every way, and compare their scores."""
        for results in self.turns.rounds(rounds):
            ours = torch.cat([results[OURS]["good"], results[OURS]["bad"]])
            for name in self.plain:
                found = (ours - torch.tensor(results[name], dtype=torch.float64)).abs().max()
                self.difference = max(self.difference, float(found))

    def report(self) -> None:
        """Print the table, and fail if the scores are not the same."""
        floor = self.turns.seconds(PRODUCTS)
        work, rate = self.operations / 1e9, self.operations / floor / 1e9
        print(
            f"{len(self.sentences)} sentences of {mean(map(len, self.sentences)):.1f} tokens; the "
            f"floor is {work:.1f} G operations at {rate:.0f} G a second"
        )
        self.turns.table((OURS, *self.plain), floor)
        print(f"largest difference of a score: {self.difference:.1e} nats")
        if self.difference > EQUAL:
            raise SystemExit(f"expected at most {EQUAL:.0e}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, help=f"pairs that are scored (default {PAIRS})")
    parser.add_argument("--vocabulary", type=int, default=VOCABULARY, help="default: BERT's")
    parser.add_argument("--blimp", help="a folder of BLiMP's files, or one of them")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each way gets")
    parser.add_argument("--only", choices=SIZES, help="one size instead of both")
    parser.add_argument("--kinds", choices=KINDS, nargs="+", default=KINDS, help="of model")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--quick", action="store_true", help="few pairs, one round, d 128")
    options = parser.parse_args(arguments)
    if options.quick:
        options.pairs, options.rounds, options.only = options.pairs or 20, 1, "d128"
    torch.set_num_threads(options.threads)
    print_machine()
    for name in [options.only] if options.only else SIZES:
        count = options.pairs or PAIRS[name]
        pairs = made_up_pairs(count, options.vocabulary)
        if options.blimp:
            pairs = random.Random(0).sample(read_minimal_pairs(options.blimp), count)
        for kind in options.kinds:
            print(
                f"\n{kind}, {SIZES[name]}, vocabulary {options.vocabulary:,}, "
                f"{options.threads} thread(s)",
                flush=True,
            )
            print_load()
            compared = Comparison(kind, SIZES[name], options.vocabulary, pairs)
            with torch.no_grad():
                compared.run(options.rounds)
            compared.report()
    print_load()


if __name__ == "__main__":
    main()
