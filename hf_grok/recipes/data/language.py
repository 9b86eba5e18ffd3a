"""From a language's builder to what a run reads: token sequences, tokenizer, behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from transformers import PreTrainedTokenizerBase

from hf_grok.errors import UserError
from hf_grok.languages import Language, load, prepared, trained_language
from hf_grok.masking import Masking
from hf_grok.models import word_level_tokenizer
from hf_grok.probes import Probe
from hf_grok.probes.tasks import Behaviour, TokenLoss
from hf_grok.probes.tasks.base import MEASURED_SPLITS
from hf_grok.probes.tasks.masked_loss import MaskedLoss
from hf_grok.recipes.arguments import DataArguments
from hf_grok.recipes.data.batches import TokenSequences
from hf_grok.recipes.data.encoded_lines import encoded_lines
from hf_grok.recipes.data.masked import MaskedSequences
from hf_grok.sas.batches.ragged import Ragged
from hf_grok.sas.batches.rows import ArcRows
from hf_grok.text.json_reading import read_options

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from hf_grok.datasets_scripts.builder.base import GrammarBuilder


@dataclass(frozen=True)
class LanguageData:
    """What a run reads of a language.

    Attributes:
        tokenizer: word-level, over the words of every split, or all that the language has.
        train: the training sequences; tokens of them masked for a masked model.
        measures: what every evaluation measures. "loss", token-weighted, on (a sample of) the
            validation split: of the next token, or of masked ones. Unless the language asks
            nothing, its behaviour: "in_distribution" on (a sample of) the test split, and
            "generalization" on the generalization split.
        test: the whole test split, of which probes take their sentences; None of a corpus.
        fingerprint: of the training split, for the run's record.
        probes: of a corpus: what is looked at inside the model.
        facts: of a corpus: its counts, for the run's record.
        annotation: of a corpus: annotation schemes of the heads that training acts on, and of those
            that attention is scored against.
    """

    tokenizer: PreTrainedTokenizerBase
    train: TokenSequences
    measures: tuple[Probe, ...]
    test: Dataset | None
    fingerprint: str
    probes: tuple[Probe, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    annotation: dict[str, str | None] = field(default_factory=dict)


def prepared_builder(arguments: DataArguments, *, quiet: bool = False) -> GrammarBuilder:
    """The builder of the language that `arguments` name, its splits generated (or found again)."""
    options = read_options("language_options", arguments.language_options)
    return prepared(arguments.language, arguments.language_config, options, quiet=quiet)


def load_language(
    arguments: DataArguments,
    *,
    masked: bool = False,
    seed: int = 0,
    with_arcs: bool = False,
    with_sham: bool = False,
    quiet: bool = False,
) -> LanguageData:
    """Everything a run reads, encoded once for all runs that read the same lines.

    Args:
        arguments: which language, and how much of it.
        masked: whether the model is a masked language model, from which tokens are masked.
        seed: of what is masked from it in training.
        with_arcs: whether training batches carry the heads of their words.
        with_sham: and those of a random tree of each sentence, the same in every run.
        quiet: no progress bars.

    Raises:
        UserError: an unknown language, configuration or option; a split that is missing; a number
            of evaluation examples below 0; arcs of a language that has none.
    """
    language = trained_language(arguments.language)
    builder = prepared_builder(arguments, quiet=quiet)
    splits = builder.as_dataset()
    _require_splits(splits, arguments.language, asks=bool(language.behaviour))
    words = getattr(builder, "vocabulary", None) or words_of_splits(splits)
    tokenizer = word_level_tokenizer(words, append_end=language.ends, mask=masked)
    lines = encoded_lines(splits["train"], tokenizer, with_arcs=with_arcs, with_sham=with_sham)
    train = training_sequences(
        lines.tokens, tokenizer, arguments, lines.arcs, masked=masked, seed=seed
    )
    train.words = lines.words
    validation = sample(splits["validation"], arguments)["text"][:]
    loss = validation_loss(validation, tokenizer, arguments, masked=masked)
    return LanguageData(
        tokenizer=tokenizer,
        train=train,
        measures=(loss.named("loss"), *_behaviours(language, splits, tokenizer, arguments)),
        test=splits["test"],
        fingerprint=splits["train"]._fingerprint,
    )


def _require_splits(splits: DatasetDict, language: str, *, asks: bool) -> None:
    needed = ["train", "validation", "test"]
    if asks:
        needed.append("generalization")
    for name in needed:
        if name not in splits:
            raise UserError(
                f"{language} has no split {name!r} (it has {', '.join(splits)}): a run needs "
                f"{', '.join(needed[:-1])} and {needed[-1]}"
            )


def words_of_splits(splits: DatasetDict) -> set[str]:
    """Every word of every split: the vocabulary of a language that does not list its own."""
    return {word for split in splits.values() for text in split["text"][:] for word in text.split()}


def training_sequences(
    sequences: Sequence[Sequence[int]] | Ragged,
    tokenizer: PreTrainedTokenizerBase,
    arguments: DataArguments,
    arcs: ArcRows | None,
    *,
    masked: bool,
    seed: int,
) -> TokenSequences:
    """The sequences as a causal model reads them, or as a masked one does."""
    if not masked:
        return TokenSequences(sequences, int(tokenizer.pad_token_id), arcs)
    masking = Masking(arguments.mask_share, arguments.mask_random, arguments.mask_kept, seed=seed)
    return MaskedSequences(sequences, tokenizer, masking, arcs)


def validation_loss(
    texts: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    arguments: DataArguments,
    *,
    masked: bool,
    of_a_corpus: bool = False,
) -> Behaviour:
    """Loss a predicted token of the validation lines; what is masked stays the same.

    Of a corpus, words may be unknown to the tokenizer, which may put no start token in front.
    """
    options: dict[str, Any] = {"allow_unknown": of_a_corpus}
    if not masked:
        starts = tokenizer.bos_token_id is not None
        return TokenLoss(texts, tokenizer, add_start=of_a_corpus and starts, **options)
    options |= {"seed": arguments.evaluation_seed, "share": arguments.mask_share}
    return MaskedLoss(texts, tokenizer, **options)


def _behaviours(
    language: Language,
    splits: DatasetDict,
    tokenizer: PreTrainedTokenizerBase,
    arguments: DataArguments,
) -> list[Probe]:
    if not language.behaviour:
        return []
    behaviour = load(language.behaviour)
    return [
        behaviour(sample(asked_rows(splits[split], language.task), arguments), tokenizer).named(own)
        for split, own in MEASURED_SPLITS.items()
    ]


def asked_rows(rows: Dataset, task: str) -> Dataset:
    """The rows of a task, all for "": behaviour is not read off `decl` and `PAST` lines."""
    if not task:
        return rows
    asking = rows.features["task"].str2int(task)
    return rows.select([index for index, label in enumerate(rows["task"][:]) if label == asking])


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
