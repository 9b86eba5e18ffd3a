"""Batches for a language model that carry the arcs of their sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.heads import NONE
from hf_grok.errors import UserError
from hf_grok.masking import IGNORED, MASKED_SHARE, Masking, mask_tokens
from hf_grok.sas.batches.encoding import DEPRELS, WORD_HEADS, WORDS, ArcEncoder
from hf_grok.sas.batches.epoch_rows import EPOCH, EXAMPLE_INDEX
from hf_grok.sas.batches.keys import (
    HEADS,
    RELATIONS,
    SHAM_HEADS,
    SHAM_RELATIONS,
    WORD_OF,
    ArcCounts,
)
from hf_grok.sas.batches.published import (
    ATTENTION_MASK,
    PUBLISHED_RELATIONS,
    ROOT_RELATIONS,
    special_ids,
)
from hf_grok.sas.batches.row import INPUT_IDS, TOKEN_TYPES, ArcRow


class ArcCollator:
    """Rows with arcs -> input_ids, attention_mask, labels and the annotation of the batch.

    Rows come in any of the three layouts of `hf_grok.sas.batches.encoding.ArcEncoder`. Those of
    `encode_rows` are the fast one: words are cut into tokens, and sham trees drawn, once instead
    of at every step.

    Masked (BERT): tokens to guess are drawn from (seed, epoch, index of the example) alone, so rows
    must come out of `EpochRows`; SASTrainer puts its training set into one, a plain Trainer needs
    it, and `EpochCallback`, from you. Causal (`masked=False`): the labels are the input ids.

    Trainer drops columns that the model's forward does not take. SASTrainer keeps those that
    `columns` names; a plain Trainer needs `remove_unused_columns=False`.

    The batch has `arc_word_of`, `arc_heads`, `arc_relations` (and the same of sham trees) as
    `hf_grok.sas.batches.keys` defines them, beside token_type_ids where the rows have them. Padding
    stands on the tokenizer's padding side.

    Args:
        tokenizer: a fast one, with a padding token, and a mask token if `masked`.
        masked: masked language model, or causal.
        share: of a row's tokens that are masked, one at least.
        random: fraction of the masked tokens that a random ordinary token replaces; BERT's is 0.1.
        kept: fraction of the masked tokens that stay as they are; BERT's is 0.1. The others, by
            default all, are shown as the mask token, as in recipes and in the validation loss.
        seed: of all masks; 0 or more.
        pad_to_multiple_of: make lengths of batches (in tokens, in words) multiples of this.
        max_length: tokens of a row, special tokens included; None does not cut.
        sham: draw a sham tree for each sentence.
        sham_seed: of these draws; 0 or more.
        add_start: put the tokenizer's start token in front of words where it adds none by itself.
        allow_unknown: let words through that become the tokenizer's unknown token.
        root_relations: of the published layout: relations by which a root hangs on itself or on a
            special token.
        relation_names: of the published layout: the names of numbered relations.
        first_head: of the published layout: the position of the token that `heads[0]` belongs to, 0
            or 1; None tells it by each row.

    Attributes:
        columns: the columns that are read of rows, where they have them.
        needs_epoch: whether rows must come out of `EpochRows`.
        counts: what became of the rows so far, in this process: with dataloader workers, those
            count for themselves. `encode_rows(...).counts` counts a data set once.

    Raises:
        UserError: the tokenizer lacks a padding or mask token; an option out of its range.
    """

    columns = (
        *(WORDS, WORD_HEADS, DEPRELS, PUBLISHED_RELATIONS),
        *(INPUT_IDS, ATTENTION_MASK, TOKEN_TYPES, WORD_OF, HEADS, RELATIONS),
        *(SHAM_HEADS, SHAM_RELATIONS),
        *(EXAMPLE_INDEX, EPOCH),
    )

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        *,
        masked: bool = True,
        share: float = MASKED_SHARE,
        random: float = 0.0,
        kept: float = 0.0,
        seed: int = 0,
        pad_to_multiple_of: int = 1,
        max_length: int | None = None,
        sham: bool = False,
        sham_seed: int = 0,
        add_start: bool = False,
        allow_unknown: bool = False,
        root_relations: tuple[str | int, ...] = ROOT_RELATIONS,
        relation_names: tuple[str, ...] | None = None,
        first_head: int | None = None,
    ) -> None:
        if pad_to_multiple_of < 1:
            raise UserError(f"pad_to_multiple_of={pad_to_multiple_of}: expected at least 1")
        self.tokenizer = tokenizer
        self.encoder = ArcEncoder(
            tokenizer,
            max_length=max_length,
            sham=sham,
            sham_seed=sham_seed,
            add_start=add_start,
            allow_unknown=allow_unknown,
            root_relations=root_relations,
            relation_names=relation_names,
            first_head=first_head,
        )
        self.masking = Masking(share, random, kept, seed) if masked else None
        self.counts = ArcCounts()
        self.multiple = pad_to_multiple_of
        self._pad = _token(tokenizer, "pad_token", "fills batches up")
        if masked:
            self._mask_id = _token(tokenizer, "mask_token", "a masked language model guesses at")
            special = [*special_ids(tokenizer), *tokenizer.all_special_ids]
            self._ordinary = np.setdiff1d(np.arange(len(tokenizer)), special)

    @property
    def needs_epoch(self) -> bool:
        """True for masked language models."""
        return self.masking is not None

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """One batch.

        Raises:
            UserError: rows without annotation, or with heads that are no tree; for masked models,
                rows that do not know their index and epoch.
        """
        numbers = [int(row.get(EXAMPLE_INDEX, at)) for at, row in enumerate(rows)]
        arcs, counts = self.encoder.encode(rows, numbers)
        self.counts.add(counts)
        shown = [self._shown(row, given) for row, given in zip(arcs, rows, strict=True)]
        by_token = {
            INPUT_IDS: ([ids for ids, _ in shown], self._pad),
            ATTENTION_MASK: ([np.ones_like(row.ids) for row in arcs], 0),
            "labels": ([labels for _, labels in shown], IGNORED),
            WORD_OF: ([row.word_of for row in arcs], NONE),
        }
        if arcs[0].token_types is not None:
            by_token[TOKEN_TYPES] = [row.columns()[TOKEN_TYPES] for row in arcs], 0
        by_word = {
            HEADS: [row.heads for row in arcs],
            RELATIONS: [row.relations for row in arcs],
        }
        if self.encoder.sham:
            for name in (SHAM_HEADS, SHAM_RELATIONS):
                by_word[name] = [row.columns()[name] for row in arcs]
        left = self.tokenizer.padding_side == "left"
        return {
            **{name: self._padded(*each, left=left) for name, each in by_token.items()},
            **{name: self._padded(values, NONE) for name, values in by_word.items()},
        }

    def _shown(self, row: ArcRow, given: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """What the model sees of a row, and what it must say."""
        if self.masking is None:
            if IGNORED in given.get("labels", ()):
                raise UserError(
                    "a row has labels that leave tokens out (-100), and the labels made here are "
                    "all of its tokens: drop that column, or the option that made it (TRL's "
                    "completion_only_loss, assistant_only_loss)"
                )
            return row.ids, row.ids
        if given.get(EXAMPLE_INDEX) is None or given.get(EPOCH) is None:
            raise _no_epoch(given)
        seen, labels = mask_tokens(
            row.ids[None],
            (row.word_of != NONE)[None],
            self.masking,
            epoch=int(given[EPOCH]),
            sentences=np.array([int(given[EXAMPLE_INDEX])]),
            mask_id=self._mask_id,
            ordinary=self._ordinary,
        )
        return seen[0], labels[0]

    def _padded(self, rows: Sequence[np.ndarray], fill: int, *, left: bool = False) -> Tensor:
        longest = max(len(row) for row in rows)
        width = -(-longest // self.multiple) * self.multiple
        batch = np.full((len(rows), width), fill, dtype=np.int64)
        for line, row in zip(batch, rows, strict=True):
            line[width - len(row) if left else 0 :][: len(row)] = row
        return torch.from_numpy(batch)


def _token(tokenizer: PreTrainedTokenizerBase, name: str, purpose: str) -> int:
    number = getattr(tokenizer, f"{name}_id")
    if number is None:
        raise UserError(
            f"{type(tokenizer).__name__} has no {name}, which {purpose}: set tokenizer.{name}"
        )
    return int(number)


def _no_epoch(row: Mapping[str, Any]) -> UserError:
    if row.get(EXAMPLE_INDEX) is None:
        return UserError(
            "rows for a masked language model do not know their index, which masks are drawn from: "
            "wrap the data set, EpochRows(train), and EpochRows(evaluation, fixed=True) for an "
            "evaluation set; a plain Trainer needs remove_unused_columns=False too"
        )
    return UserError(
        "nobody has told EpochRows which epoch it is, so every epoch would mask the same tokens: "
        "give the Trainer callbacks=[EpochCallback()], or call set_epoch before each epoch"
    )
