"""What a recipe can say, beside the TrainingArguments of transformers."""

from __future__ import annotations

from dataclasses import dataclass, field

from transformers import TrainingArguments

from hf_grok.masking import MASKED_SHARE
from hf_grok.sas.arguments import SASArguments
from hf_grok.text.json_reading import read_options

DROPOUT_MASKS = ("auto", "pooled", "drawn")
ATTENTIONS = ("auto", "batched", "sdpa", "eager", "flex_attention")
PRECISIONS = ("auto", "fp32", "bf16")


# The argument parser takes a union's second member: `dict | str | None`, in this order. Typing's
# Union would do, were it not that Union[str, dict], once made anywhere, is given out for it.
@dataclass
class DataArguments:
    """What is learnt: a language that is generated, or a parsed corpus; and how much of it."""

    language: str = field(
        default="",
        metadata={"help": "A name that `hf-grok data --help` lists, such as question-formation."},
    )
    data: list[str] = field(
        default_factory=list,
        metadata={
            "help": "A parsed corpus in the place of a language: files (Parquet, JSON lines, "
            "CoNLL-U), folders or patterns of them, ids of data sets on the Hub; after a name "
            "config=, split=, revision=, weight= and scheme= may stand, with commas before them."
        },
    )
    validation_data: list[str] = field(
        default_factory=list,
        metadata={
            "help": "Of a corpus: what the loss is measured on, in the same forms; else documents "
            "of --data are held out."
        },
    )
    validation_share: float = field(
        default=0.02,
        metadata={"help": "Of a corpus: fraction of its words that is held out, whole documents."},
    )
    validation_seed: int = field(
        default=0, metadata={"help": "Of a corpus: draws the documents that are held out."}
    )
    tokenizer: str = field(
        default="wordpiece",
        metadata={
            "help": "Of a corpus: wordpiece or byte-level-bpe, trained on it, or the name or "
            "folder of a pretrained one."
        },
    )
    vocabulary_size: int = field(
        default=8000, metadata={"help": "Tokens of a tokenizer that is trained."}
    )
    lowercase: bool = field(
        default=True, metadata={"help": "A trained wordpiece tokenizer writes letters small."}
    )
    row_tokens: int = field(
        default=128,
        metadata={"help": "Of a corpus: tokens of a row, into which its sentences are packed."},
    )
    language_config: str | None = field(
        default=None, metadata={"help": "Configuration of the builder; its own default if unset."}
    )
    language_options: dict | str | None = field(
        default=None,
        metadata={"help": 'Fields of the builder, as JSON: {"train_size": 20000, "seed": 1}.'},
    )
    evaluation_examples: int = field(
        default=1000,
        metadata={
            "help": "Examples of each evaluated split, drawn at random by --evaluation_seed; "
            "0 takes the whole split."
        },
    )
    evaluation_seed: int = field(
        default=0,
        metadata={
            "help": "Draws the evaluated examples, and what is masked in them from a masked model; "
            "not the seed of training."
        },
    )
    mask_share: float = field(
        default=MASKED_SHARE,
        metadata={
            "help": "Masked models: fraction of a sentence's words that is masked, one at least."
        },
    )
    mask_random: float = field(
        default=0.0,
        metadata={"help": "Of the masked words in training, the share shown as another word."},
    )
    mask_kept: float = field(
        default=0.0, metadata={"help": "Of the masked words in training, the share left visible."}
    )

    def __post_init__(self) -> None:
        self.language_options = read_options("language_options", self.language_options)


@dataclass
class ModelArguments:
    """Which model is trained: ours, or any causal or masked language model of transformers."""

    model: str = field(
        default="vanilla_transformer",
        metadata={
            "help": "A model_type of transformers: vanilla_transformer, gpt2, llama, ...; bert, "
            "modernbert, ... are trained as masked language models."
        },
    )
    layers: int = field(default=6, metadata={"help": "num_hidden_layers of the model's config."})
    hidden_size: int = field(default=512, metadata={"help": "hidden_size of the model's config."})
    heads: int = field(default=8, metadata={"help": "num_attention_heads of the model's config."})
    model_options: dict | str | None = field(
        default=None,
        metadata={"help": 'Further fields of the config, as JSON: {"intermediate_size": 2048}.'},
    )
    attention: str = field(
        default="auto",
        metadata={
            "help": "auto (batched on a CPU, sdpa elsewhere), batched, sdpa, eager or "
            "flex_attention."
        },
    )
    dropout_masks: str = field(
        default="auto",
        metadata={
            "help": "pooled (masks cut from a pool, a function of the step), drawn (afresh, by "
            "the global generator), or auto (pooled on a CPU)."
        },
    )

    def __post_init__(self) -> None:
        self.model_options = read_options("model_options", self.model_options)


@dataclass
class ProbeArguments:
    """What is looked at inside the model, at the run's evaluations."""

    probes: str = field(
        default="default",
        metadata={
            "help": "default (uas, tree, sparsity, norm, intrinsic_dimension; without the first "
            "two for dyck; uas, pairs, sparsity, norm for agreement), none, or names with commas "
            "between them; fisher and class_loss are there too."
        },
    )
    probe_data: list[str] = field(
        default_factory=list,
        metadata={
            "help": "Of a corpus: what probes look at, NAME=FILE each: treebanks for uas, minimal "
            "pairs for pairs; behind a file as behind one of --data, but for weight=, and "
            ",relations=ud. The documents held out otherwise."
        },
    )
    probe_examples: int = field(
        default=200,
        metadata={"help": "Sentences of the test split that are probed; tree takes a quarter."},
    )
    probe_pairs: int = field(
        default=200,
        metadata={"help": "Minimal pairs of each paradigm that are scored, where there are any."},
    )
    probe_every: int = field(
        default=1,
        metadata={"help": "Probe at evaluated steps that are multiples of this, first and last."},
    )
    probe_detail: str = field(
        default="headlines",
        metadata={
            "help": "What dashboards (--report_to) chart: headlines (what a report draws) or all; "
            "metrics.jsonl has every number."
        },
    )


@dataclass
class GrokTrainingArguments(SASArguments, TrainingArguments):
    """TrainingArguments with a schedule of evaluations, and defaults that do not mislead.

    Where the defaults differ from those of transformers:

    - `save_strategy` is "no", as `eval_strategy`: `checkpoints` and `evaluations` say when;
    - `max_steps` is 20,000, not -1, and `logging_steps` 100, not 500: runs are counted in steps;
    - `logging_nan_inf_filter` is off: on, a run whose weights are NaN logs a loss of 0;
    - `remove_unused_columns` and `dataloader_pin_memory` are off: batches are made for the model,
      in memory, with arcs beside its arguments;
    - `output_dir` is named after recipe, scale and seed.
    """

    output_dir: str | None = field(
        default=None,
        metadata={"help": "The run's folder; by default runs/RECIPE-SCALE-seedN."},
    )
    evaluations: str = field(
        default="log:250",
        metadata={
            "help": 'Steps evaluated: "log:N", "every:N" or a list "0,10,100"; or where so many '
            'words or tokens are seen: "words:1M,2M,10M", "tokens:500K".'
        },
    )
    checkpoints: str = field(
        default="every:2000", metadata={"help": "Steps saved, in the same forms."}
    )
    precision: str = field(
        default="auto",
        metadata={"help": "auto (bf16 where the processor multiplies it), fp32 or bf16."},
    )
    threads: int = field(
        default=0,
        metadata={"help": "Threads of a CPU run; 0 chooses by width and batch."},
    )
    bucketed_batches: bool = field(
        default=True, metadata={"help": "Batches of like length; no gives plain shuffling."}
    )
    sparse_prediction: bool = field(
        default=False,
        metadata={
            "help": "Masked models: compute logits at masked tokens only. The same loss and "
            "gradients up to rounding, at half the cost for a small model."
        },
    )
    stop_after: int = field(
        default=0,
        metadata={
            "help": "End so many steps after generalization first reaches .95, to show a run; 0 "
            "goes to max_steps, as runs that are counted must."
        },
    )
    series: str | None = field(
        default=None,
        metadata={
            "help": "Repository on the Hub, NAME or USER/NAME: each checkpoint becomes a branch "
            "step{N} of it, pushed while the run goes on. hf-grok push does it afterwards."
        },
    )
    series_revision: str = field(
        default="step{step}",
        metadata={
            "help": "How its branches are called: by {step}, or by the {words} or {tokens} seen, "
            "as chck_{words}: chck_1M is the step that passes a million words."
        },
    )
    series_public: bool = field(
        default=False, metadata={"help": "Make that repository public; private otherwise."}
    )
    series_ship_code: bool = field(
        default=False,
        metadata={
            "help": "Each branch also carries a vanilla transformer's code, so that it loads "
            "without hf-grok, with trust_remote_code=True."
        },
    )
    eval_strategy: str = field(default="no", metadata={"help": "Left to --evaluations."})
    save_strategy: str = field(default="no", metadata={"help": "Left to --checkpoints."})
    logging_nan_inf_filter: bool = field(default=False, metadata={"help": "Leave this off."})
    average_tokens_across_devices: bool = field(default=True)
    max_steps: int = field(default=20_000, metadata={"help": "Length of the run in steps."})
    per_device_train_batch_size: int = field(default=8, metadata={"help": "Batch a process."})
    logging_steps: float = field(default=100, metadata={"help": "Log the training loss every N."})
    dataloader_pin_memory: bool = field(default=False)
    # Batches are made for the model: what is in them beside its arguments is for the regulariser.
    remove_unused_columns: bool = field(default=False)
