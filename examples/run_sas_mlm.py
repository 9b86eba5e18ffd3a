"""Train a masked language model while its attention to syntax is suppressed or promoted.

    python examples/run_sas_mlm.py --output_dir run --sas_schedule 0:0.1,500:0
    accelerate launch --multi_gpu --num_processes 2 examples/run_sas_mlm.py --output_dir run
    torchrun --nproc_per_node 2 examples/run_sas_mlm.py --output_dir run

Sentences come from the grammar `Agreement`, or from a file of yours with a JSON object of words,
heads and deprels a line, as `hf-grok data parse` writes it: --train_file parsed.jsonl. On a machine
without a GPU add --use_cpu true (`accelerate launch --cpu` would start one process only).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, BertConfig, BertForMaskedLM, HfArgumentParser, set_seed

from hf_grok import SASTrainer, SASTrainingArguments
from hf_grok.annotation.scheme import read_scheme
from hf_grok.callbacks import ProbeCallback
from hf_grok.models import word_level_tokenizer
from hf_grok.sas import ArcCollator, encode_rows, token_mean_loss


@dataclass
class Data:
    """What is learnt, and how large the model is."""

    train_file: str | None = field(
        default=None, metadata={"help": "JSON lines of words, heads, deprels; else Agreement."}
    )
    tokenizer: str | None = field(
        default=None, metadata={"help": "A pretrained tokenizer; else one token a word."}
    )
    train_size: int = field(default=20_000, metadata={"help": "Sentences drawn from Agreement."})
    held_out: int = field(default=500, metadata={"help": "Sentences kept for evaluation."})
    layers: int = 3
    hidden_size: int = 128
    heads: int = 4


@dataclass
class Arguments(SASTrainingArguments):
    """SASTrainingArguments with a recipe for a minute of one core."""

    output_dir: str | None = "sas-mlm"
    max_steps: int = 1000
    per_device_train_batch_size: int = 64
    learning_rate: float = 1e-3
    lr_scheduler_type: str = "constant_with_warmup"
    warmup_steps: float = 200
    eval_strategy: str = "steps"
    eval_steps: float = 100
    logging_steps: float = 100
    sas_schedule: str = "0:0.1,500:0"


def read_rows(data: Data) -> list[dict[str, Any]]:
    """Sentences with words, heads and deprels, in the order of the file or of the grammar."""
    if data.train_file is not None:
        return [json.loads(line) for line in Path(data.train_file).read_text().splitlines()]
    from hf_grok.datasets_scripts import Agreement

    builder = Agreement(train_size=data.train_size)
    builder.download_and_prepare()
    return builder.as_dataset(split="train").to_list()


def main() -> None:
    """Train, evaluate, save."""
    data, training = HfArgumentParser(
        (Data, Arguments), allow_abbrev=False
    ).parse_args_into_dataclasses()
    set_seed(training.seed)
    with training.main_process_first(desc="preparing sentences"):
        rows = read_rows(data)
    words = {word for row in rows for word in row["words"]}
    tokenizer = (
        AutoTokenizer.from_pretrained(data.tokenizer)
        if data.tokenizer
        else word_level_tokenizer(words, append_end=True, mask=True)
    )
    sham = training.sas_arcs != "syntactic"
    scheme = read_scheme(Path(data.train_file)) if data.train_file else "ud"
    training.sas_scheme = training.sas_evaluation_scheme = scheme
    held_out, train = rows[: data.held_out], rows[data.held_out :]
    encoded = encode_rows(train, tokenizer, sham=sham, max_length=128)
    model = BertForMaskedLM(
        BertConfig(
            vocab_size=len(tokenizer),
            num_hidden_layers=data.layers,
            hidden_size=data.hidden_size,
            num_attention_heads=data.heads,
            intermediate_size=4 * data.hidden_size,
            max_position_embeddings=128,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    trainer = SASTrainer(
        model=model,
        args=training,
        train_dataset=encoded,
        eval_dataset=encode_rows(held_out, tokenizer, sham=sham, max_length=128, progress=False),
        data_collator=ArcCollator(tokenizer, sham=sham, seed=training.seed),
        processing_class=tokenizer,
        compute_loss_func=token_mean_loss,  # BERT's own loss changes with accumulation
    )
    trainer.add_callback(ProbeCallback(trainer, probes=["uas", "norm"], data=held_out))
    if training.process_index == 0:
        print(encoded.counts)
    trainer.train()
    trainer.save_model()
    trainer.save_state()
    trainer.end()


if __name__ == "__main__":
    main()
