"""From a language's builder to what a run reads: token sequences, tokenizer, behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transformers import PreTrainedTokenizerBase

from hf_grok.behaviour import Behaviour, TokenLoss, behaviour_for
from hf_grok.errors import UserError, unknown_name
from hf_grok.models import word_level_tokenizer
from hf_grok.training.arguments import DataArguments, read_options
from hf_grok.training.tensors import TokenSequences

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

LANGUAGES = {
    "question-formation": "QuestionFormation",
    "tense-inflection": "TenseInflection",
    "dyck": "Dyck",
}
ASKING_TASKS = {"question-formation": "quest", "tense-inflection": "PRESENT"}
MEASURED_SPLITS = {"in_distribution": "test", "generalization": "generalization"}


@dataclass(frozen=True)
class Language:
    """What a run reads of a language.

    Attributes:
        tokenizer: word-level, over the words of the training split.
        train: the training sequences.
        loss: token-weighted loss on (a sample of) the validation split.
        behaviours: "in_distribution" and "generalization" -> the measure on (a sample of) the test
            and generalization splits.
        test: the whole test split, of which probes take their sentences.
        fingerprint: of the training split, for the run's record.
    """

    tokenizer: PreTrainedTokenizerBase
    train: TokenSequences
    loss: TokenLoss
    behaviours: dict[str, Behaviour]
    test: Dataset
    fingerprint: str


def load_splits(arguments: DataArguments, *, quiet: bool = False) -> DatasetDict:
    """Generate (or find in the cache) every split of the language that `arguments` name."""
    import datasets

    from hf_grok import datasets_scripts

    if arguments.language not in LANGUAGES:
        raise unknown_name("language", arguments.language, LANGUAGES)
    builder_class = getattr(datasets_scripts, LANGUAGES[arguments.language])
    options: dict[str, Any] = read_options("language_options", arguments.language_options)
    builder = builder_class(config_name=arguments.language_config, **options)
    if quiet:
        datasets.disable_progress_bars()
    builder.download_and_prepare()
    return builder.as_dataset()


def load_language(arguments: DataArguments, *, quiet: bool = False) -> Language:
    """Everything a run reads, encoded once.

    Raises:
        UserError: an unknown language, configuration or option; a split that is missing; a number
            of evaluation examples below 0.
    """
    splits = load_splits(arguments, quiet=quiet)
    for name in ("train", "validation", "test", "generalization"):
        if name not in splits:
            raise UserError(
                f"{arguments.language} has no split {name!r} (it has {', '.join(splits)}): "
                "a run needs train, validation, test and generalization"
            )
    texts = splits["train"]["text"][:]
    words = {
        word for split in splits.values() for text in split["text"][:] for word in text.split()
    }
    tokenizer = word_level_tokenizer(words, append_end=arguments.language == "dyck")
    sequences = tokenizer(texts, return_attention_mask=False)["input_ids"]
    return Language(
        tokenizer=tokenizer,
        train=TokenSequences(sequences, int(tokenizer.pad_token_id)),
        loss=TokenLoss(sample(splits["validation"], arguments)["text"][:], tokenizer),
        behaviours={
            measured: behaviour_for(
                arguments.language,
                sample(asked_rows(splits[split], arguments.language), arguments),
                tokenizer,
            )
            for measured, split in MEASURED_SPLITS.items()
        },
        test=splits["test"],
        fingerprint=splits["train"]._fingerprint,
    )


def asked_rows(rows: Dataset, language: str) -> Dataset:
    """The rows that ask for something: behaviour is not read off `decl` and `PAST` lines."""
    if language not in ASKING_TASKS:
        return rows
    asking = rows.features["task"].str2int(ASKING_TASKS[language])
    return rows.select([index for index, task in enumerate(rows["task"][:]) if task == asking])


def with_words(rows: Dataset) -> Dataset:
    """Rows with a column words: Dyck's strings have none."""
    if "words" in rows.column_names:
        return rows
    return rows.add_column("words", [text.split() for text in rows["text"][:]])


def sample(rows: Dataset, arguments: DataArguments) -> Dataset:
    """At most `evaluation_examples` rows, drawn by `evaluation_seed`.

    Never simply the first rows: released files are not shuffled.

    Raises:
        UserError: a number of examples below 0.
    """
    wanted = arguments.evaluation_examples
    if wanted < 0:
        raise UserError(f"evaluation_examples={wanted}: expected 0 (the whole split) or more")
    if not wanted or wanted >= len(rows):
        return rows
    return rows.shuffle(seed=arguments.evaluation_seed).select(range(wanted))
