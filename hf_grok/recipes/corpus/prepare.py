"""A corpus made ready for a run, once for all runs of it: split, tokenizer, packed rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from hf_grok.errors import UserError
from hf_grok.evaluation.sources import TRAINING_KEYS, Source, one_scheme, read_source
from hf_grok.models.subword_tokenizer import KINDS, WORDPIECE, train_tokenizer
from hf_grok.recipes.arguments import DataArguments
from hf_grok.recipes.corpus.documents import check_apart, held_out_documents, words_by_document
from hf_grok.recipes.corpus.packing import Packer
from hf_grok.recipes.corpus.published import TokenIds, require_one_layout
from hf_grok.recipes.corpus.sentences import Sentences, has_heads, read_sentences
from hf_grok.recipes.corpus.store import VERSION, Stored, write_rows
from hf_grok.recipes.corpus.tables import identity
from hf_grok.recipes.corpus.word_tokens import WordTokens
from hf_grok.recipes.data.made_once import cached_folder, made_once
from hf_grok.sas.batches.keys import ArcCounts
from hf_grok.text.json_reading import read_object

TRAIN, VALIDATION = PARTS = ("train", "validation")
SENTENCES = "validation.parquet"
_VOCABULARY = "vocabulary.json"
_TRIED = 100  # sentences on which the tokenizer is tried


@dataclass(frozen=True)
class Prepared:
    """What stands in the folder of a corpus.

    Attributes:
        folder: in the cache.
        sources: what the training rows come from.
    """

    folder: Path
    sources: tuple[Source, ...]

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Counts of documents, sentences, words and tokens, of both parts."""
        return read_object(self.folder / "facts.json")

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The corpus's, as saved: a plain tokenizer.json."""
        return AutoTokenizer.from_pretrained(self.folder / "tokenizer")

    @cached_property
    def vocabulary(self) -> list[str]:
        """The words, by the number that column forms has."""
        found: list[str] = json.loads((self.folder / _VOCABULARY).read_text(encoding="utf-8"))
        return found

    def part(self, name: str) -> Stored:
        """The rows of "train" or "validation"."""
        return Stored.at(self.folder / name)

    def counts(self, name: str) -> ArcCounts:
        """What became of the sentences of a part."""
        return ArcCounts(**self.facts[name]["arcs"])

    def held_out(self) -> list[dict[str, Any]]:
        """The sentences of the validation part, as rows; only words where tokens stand for them."""
        rows: list[dict[str, Any]] = pq.read_table(self.folder / SENTENCES).to_pylist()
        if not self.is_published:
            return rows
        texts = (self.text(row["words"]).split() for row in rows)
        return [{"words": words} for words in texts if words]

    @property
    def is_published(self) -> bool:
        """Whether tokens stand for its words, since it came as input_ids."""
        return bool(self.facts.get("published", False))

    def text(self, words: list[str]) -> str:
        """Words of the corpus as running text."""
        if self.is_published:
            return str(self.tokenizer.convert_tokens_to_string(words))
        return " ".join(words)

    @property
    def fingerprint(self) -> str:
        """Of all that the rows depend on."""
        return self.folder.name


def sources_of(words: Sequence[str]) -> tuple[Source, ...]:
    """The sources that `--data` names.

    Raises:
        UserError: as `read_source`; one twice.
    """
    if len(set(words)) < len(words):
        raise UserError(f"data names a source twice ({' '.join(words)}): give it a weight instead")
    return tuple(read_source(word, TRAINING_KEYS) for word in words)


def scheme_of(sources: Iterable[Source]) -> str | None:
    """The annotation scheme of all the sources; None where nothing says.

    Raises:
        UserError: they follow several.
    """
    return one_scheme({source.name: source.annotation_scheme() for source in sources})


def require_heads(sources: Iterable[Source]) -> None:
    """A regulariser needs heads in every source.

    Raises:
        UserError: one has none.
    """
    for source in sources:
        if not has_heads(source):
            raise UserError(
                f"{source.name} has no columns heads and deprels, on which sas_schedule acts: "
                "parse it (hf-grok data parse), leave it out, or train without sas_schedule"
            )


def prepare(arguments: DataArguments, *, masked: bool) -> Prepared:
    """The corpus that `arguments` name, found in the cache or made.

    Args:
        arguments: what is read, held out, and cut into tokens.
        masked: whether a masked language model reads it.

    Raises:
        UserError: sources that cannot be read or go together; documents in both parts; a tokenizer
            that cannot be had, or is not for this kind of model.
    """
    sources, validation = sources_of(arguments.data), sources_of(arguments.validation_data)
    scheme_of([*sources, *validation])
    pretrained, named = None, arguments.tokenizer not in KINDS
    published = require_one_layout([*sources, *validation], named=named)
    if named:
        pretrained = _pretrained(arguments.tokenizer, masked=masked)
    depends = {
        "version": VERSION,
        "data": [identity(source) for source in sources],
        "validation": [identity(source) for source in validation],
        "held_out": [arguments.validation_share, arguments.validation_seed],
        "tokenizer": _identity(arguments, pretrained),
        "masked": masked,
        "row_tokens": arguments.row_tokens,
    }

    def make(folder: Path) -> dict[str, object]:
        return _make(
            folder, arguments, sources, validation, pretrained, masked=masked, published=published
        )

    return Prepared(made_once(cached_folder("corpora", depends), make), sources)


def _identity(arguments: DataArguments, pretrained: PreTrainedTokenizerBase | None) -> Any:
    if pretrained is None:
        return [arguments.tokenizer, arguments.vocabulary_size, arguments.lowercase]
    return hashlib.sha256(pretrained.backend_tokenizer.to_str().encode()).hexdigest()


def _pretrained(name: str, *, masked: bool) -> PreTrainedTokenizerBase:
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise UserError(
            f"tokenizer {name!r} is none of {', '.join(KINDS)}, and cannot be loaded as a "
            f"pretrained one: {error}"
        ) from error
    if not tokenizer.is_fast:
        raise UserError(f"tokenizer {name!r} does not say which token belongs to which word")
    if masked and tokenizer.mask_token_id is None:
        raise UserError(
            f"tokenizer {name!r} has no mask token, which a masked language model guesses at: "
            "choose another, or a causal --model"
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer


def _make(
    folder: Path,
    arguments: DataArguments,
    sources: Sequence[Source],
    validation: Sequence[Source],
    tokenizer: PreTrainedTokenizerBase | None,
    *,
    masked: bool,
    published: bool,
) -> dict[str, object]:
    theirs = tokenizer if published else None
    words = words_by_document(read_sentences(sources, heads=False, tokenizer=theirs))
    if validation:
        others = read_sentences(validation, heads=False, tokenizer=theirs)
        check_apart(words, words_by_document(others))
        held_out = frozenset[str]()
    else:
        held_out = held_out_documents(words, arguments.validation_share, arguments.validation_seed)

    def part(name: str, *, heads: bool) -> Iterator[Sentences]:
        given = validation if name == VALIDATION and validation else sources
        for chunk in read_sentences(given, heads=heads, tokenizer=theirs):
            if validation:
                yield chunk
                continue
            inside = np.array([one in held_out for one in chunk.documents])
            kept = chunk.where(inside if name == VALIDATION else ~inside)
            if len(kept):
                yield kept

    if tokenizer is None:
        tokenizer = train_tokenizer(
            _listed(part(TRAIN, heads=False)),
            arguments.tokenizer,
            size=arguments.vocabulary_size,
            lowercase=arguments.lowercase and arguments.tokenizer == WORDPIECE,
            masked=masked,
        )
    tokenizer.save_pretrained(folder / "tokenizer")
    tokens: WordTokens | TokenIds
    if published:
        tokens = TokenIds(tokenizer)
    else:
        tokens = WordTokens(tokenizer, list(islice(_listed(part(TRAIN, heads=False)), _TRIED)))
    if not masked and not tokens.before and tokenizer.bos_token_id is not None:
        tokens.before = [int(tokenizer.bos_token_id)]
    facts: dict[str, object] = {}
    for name in PARTS:
        packer = Packer(tokens, arguments.row_tokens)
        chunks = part(name, heads=True)
        if name == VALIDATION:
            chunks = _kept(chunks, folder / SENTENCES)
        rows = write_rows(folder / name, packer.pack(chunks))
        if not len(rows):
            raise UserError(f"the {name} part of the corpus has no sentence")
        facts[name] = {
            "rows": len(rows),
            "words": int(rows.words.sum()),
            "tokens": int(rows.tokens.sum()),
            "left_out": packer.left_out,
            "unknown": _unknown(rows, tokenizer),
            "arcs": asdict(packer.counts),
        }
    (folder / _VOCABULARY).write_text(json.dumps(tokens.words), encoding="utf-8")
    return {
        **facts,
        "documents": len(words),
        "held_out": sorted(held_out),
        "vocabulary": len(tokenizer),
        **({"published": True} if published else {}),
    }


def _listed(chunks: Iterable[Sentences]) -> Iterator[list[str]]:
    for chunk in chunks:
        for sentence in range(len(chunk)):
            yield chunk.words(sentence)


def _kept(chunks: Iterable[Sentences], path: Path) -> Iterator[Sentences]:
    """The chunks, their rows written to a file as they pass."""
    writer = None
    try:
        for chunk in chunks:
            table = chunk.table
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema)
            writer.write_table(table.select(writer.schema.names).cast(writer.schema))
            yield chunk
    finally:
        if writer is not None:
            writer.close()


def _unknown(rows: Stored, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens that stand for words which the tokenizer does not know."""
    unknown = tokenizer.unk_token_id
    return 0 if unknown is None else int(np.count_nonzero(rows.column("ids") == unknown))
