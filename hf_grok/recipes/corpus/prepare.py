"""A corpus made ready for a run, once for all runs that read the same."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from hf_grok.models.subword_tokenizer import KINDS
from hf_grok.recipes.arguments import DataArguments
from hf_grok.recipes.corpus.making import Division, make_corpus
from hf_grok.recipes.corpus.named import scheme_of, sources_of
from hf_grok.recipes.corpus.prepared import Prepared
from hf_grok.recipes.corpus.published import require_one_layout
from hf_grok.recipes.corpus.store import VERSION
from hf_grok.recipes.corpus.tables import identity
from hf_grok.recipes.corpus.tokenizers import pretrained_tokenizer
from hf_grok.recipes.data.made_once import cached_folder, made_once


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
        pretrained = pretrained_tokenizer(arguments.tokenizer, masked=masked)
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
        held_out = arguments.validation_share, arguments.validation_seed
        division = Division(sources, validation, *held_out, pretrained if published else None)
        return make_corpus(folder, arguments, division, pretrained, masked=masked)

    return Prepared(made_once(cached_folder("corpora", depends), make), sources)


def _identity(arguments: DataArguments, pretrained: PreTrainedTokenizerBase | None) -> Any:
    if pretrained is None:
        return [arguments.tokenizer, arguments.vocabulary_size, arguments.lowercase]
    return hashlib.sha256(pretrained.backend_tokenizer.to_str().encode()).hexdigest()
