"""Words a second of reading, encoding, packing and training on a parsed corpus, on one core.

    python benchmarks/english_speed.py --data FOLDER

Beside ours stand what one would write with the libraries alone: `datasets`' own map with the same
tokenizer, and a plain Trainer with DataCollatorForLanguageModeling over the same rows, in the same
precision, with the same model. Seconds are the processor's, so that other work on the machine does
not show. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow
import tokenizers
import torch
import transformers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from hf_grok.recipes.arguments import DataArguments
from hf_grok.recipes.build import build_trainer
from hf_grok.recipes.corpus.load import load_corpus
from hf_grok.recipes.corpus.named import sources_of
from hf_grok.recipes.corpus.packing import Packer
from hf_grok.recipes.corpus.prepare import prepare
from hf_grok.recipes.corpus.prepared import Prepared
from hf_grok.recipes.corpus.sentences import Sentences, read_sentences
from hf_grok.recipes.corpus.word_tokens import WordTokens
from hf_grok.recipes.recipe import Settings, load_recipe, parse
from hf_grok.recipes.trainer.hardware import choose_precision, keep_freed_memory
from hf_grok.runs.record import RunRecord

WARM_UP = 3


def seconds_of(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of some work, and what it returns."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def peak_memory() -> float:
    """Most memory that the process has had so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


class Clock(TrainerCallback):
    """Processor seconds of the steps behind the first few."""

    def __init__(self) -> None:
        self.started = self.ended = 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        if state.global_step == WARM_UP:
            self.started = time.process_time()
        self.ended = time.process_time()

    def a_step(self, steps: int) -> float:
        return (self.ended - self.started) / (steps - WARM_UP)


def told(what: str, words: float, ours: float, theirs: float | None = None, name: str = "") -> None:
    line = f"{what:<24}{words / ours:>12,.0f} words/s"
    if theirs is not None:
        line += f"   {name}: {words / theirs:>10,.0f}   ratio {theirs / ours:.2f}"
    print(line, flush=True)


def chunks_of(data: list[str], sentences: int) -> list[Sentences]:
    """The first sentences of the corpus, in memory."""
    found, count = [], 0
    for chunk in read_sentences(sources_of(data), heads=True):
        found.append(chunk)
        count += len(chunk)
        if count >= sentences:
            break
    return found


def data_speeds(data: list[str], corpus: Prepared, sentences: int, length: int) -> None:
    seconds, chunks = seconds_of(lambda: chunks_of(data, sentences))
    words = sum(len(chunk.forms) for chunk in chunks)
    told("reading and checking", words, seconds)
    lists = [chunk.words(at) for chunk in chunks for at in range(len(chunk))]
    tokenizer = corpus.tokenizer

    def encode() -> int:
        tokens, total = WordTokens(tokenizer, lists[:100]), 0
        for chunk in chunks:
            forms = tokens.numbers(chunk.vocabulary)[chunk.forms]
            first = np.zeros(len(forms), dtype=bool)
            first[chunk.starts[:-1]] = True
            total += len(tokens.ids(forms, first)[0])
        return total

    def mapped() -> int:
        made = rows.map(
            lambda batch: tokenizer(
                batch["words"], is_split_into_words=True, add_special_tokens=False
            ),
            batched=True,
            remove_columns=["words"],
        )
        return sum(len(ids) for ids in made.with_format("numpy")["input_ids"])

    rows = datasets.Dataset.from_dict({"words": lists})
    datasets.disable_progress_bars()
    ours, own = seconds_of(encode)
    theirs, others = seconds_of(mapped)
    print(f"  tokens: {own:,} and {others:,}")
    told("encoding", words, ours, theirs, "datasets.map")
    packer = Packer(WordTokens(tokenizer, lists[:100]), length)
    seconds, packed = seconds_of(lambda: list(packer.pack(iter(chunks))))
    told("encoding and packing", words, seconds)
    print(f"  {sum(len(part.tokens) for part in packed):,} rows of {length} tokens")


def settings_of(data: list[str], folder: Path, steps: int, more: list[str]) -> Settings:
    words = ["--data", *data, "--max_steps", str(steps), "--output_dir", str(folder)]
    words += ["--evaluations", str(steps + 1), "--checkpoints", str(steps + 1), "--use_cpu", "true"]
    words += ["--probes", "none", "--disable_tqdm", "true", "--threads", "1", "--seed", "0"]
    return parse(load_recipe("sas-mlm", "english"), [*words, *more])


def our_step(settings: Settings, steps: int) -> tuple[float, float, Any]:
    """Processor seconds of a step of the recipe, words of a step, and its trainer."""
    training = settings.training
    training.bf16 = choose_precision(training.precision, training.device) == "bf16"
    training.mixed_precision = "bf16" if training.bf16 else "no"
    language = load_corpus(
        settings.data,
        settings.probes,
        masked=True,
        with_arcs=not training.penalty_schedule().is_off,
    )
    trainer = build_trainer(settings, language, RunRecord(Path(str(training.output_dir))))
    for callback in list(trainer.callback_handler.callbacks):
        if "RunTable" in type(callback).__name__:
            trainer.remove_callback(callback)
    clock = Clock()
    trainer.add_callback(clock)
    trainer.train()
    facts = language.facts["train"]
    words = facts["words"] / facts["rows"] * training.per_device_train_batch_size
    return clock.a_step(steps), words, trainer


def plain_step(settings: Settings, trainer: Any, corpus: Prepared, steps: int, out: str) -> float:
    """The same of a plain Trainer over the same rows, which it pads and masks by itself."""
    training = settings.training
    stored = corpus.part("train")
    ids, ends = stored.column("ids"), np.cumsum(stored.tokens)
    count = min(len(stored), steps * training.per_device_train_batch_size)
    rows = [
        ids[end - length : end].tolist() for end, length in zip(ends, stored.tokens, strict=True)
    ][:count]
    config: BertConfig = trainer.model.config
    torch.manual_seed(0)
    model = BertForMaskedLM(BertConfig(**config.to_diff_dict()))
    plain = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=out,
            max_steps=steps,
            per_device_train_batch_size=training.per_device_train_batch_size,
            learning_rate=training.learning_rate,
            weight_decay=training.weight_decay,
            bf16=training.bf16,
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            dataloader_pin_memory=False,
        ),
        train_dataset=datasets.Dataset.from_dict({"input_ids": rows}),
        data_collator=DataCollatorForLanguageModeling(trainer.processing_class),
    )
    clock = Clock()
    plain.add_callback(clock)
    plain.train()
    return clock.a_step(steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--sentences", type=int, default=50_000, help="read, encoded and packed")
    parser.add_argument("--steps", type=int, default=20)
    chosen, more = parser.parse_known_args()
    torch.set_num_threads(1)
    os.environ["RAYON_NUM_THREADS"] = "1"  # read when tokenizers first starts threads
    keep_freed_memory()
    transformers.utils.logging.set_verbosity_error()
    libraries = (torch, transformers, tokenizers, datasets, pyarrow)
    print(", ".join(f"{one.__name__} {one.__version__}" for one in libraries))
    arguments = DataArguments(data=chosen.data)
    seconds, corpus = seconds_of(lambda: prepare(arguments, masked=True))
    print(f"prepared (or found) in {seconds:.1f} s: {corpus.facts['train']['words']:,} words")
    data_speeds(chosen.data, corpus, chosen.sentences, arguments.row_tokens)
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_of(chosen.data, Path(folder) / "ours", chosen.steps, more)
        before = peak_memory()
        ours, words, trainer = our_step(settings, chosen.steps)
        weights = 4 * trainer.model.num_parameters() / 1e9
        print(f"memory at most {peak_memory():.2f} GB ({before:.2f} before; weights {weights:.3f})")
        theirs = plain_step(settings, trainer, corpus, chosen.steps, folder)
        precision = "bf16" if settings.training.bf16 else "fp32"
        told(f"training, {precision}", words, ours, theirs, "plain Trainer")


if __name__ == "__main__":
    main()
