"""Token loss apart by the class of the predicted word, so that a break hidden in the mean shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.alignment import NO_WORD, encode_words
from hf_grok.annotation.rows import Rows, column
from hf_grok.annotation.sentences import dependency_sentences
from hf_grok.errors import UserError, unknown_name
from hf_grok.measurement.length_batches import length_batches, token_budget
from hf_grok.measurement.precision import in_double
from hf_grok.metrics import PROBES, Metric
from hf_grok.probes.base import Probe, State, device_of
from hf_grok.probes.inputs.encoding import check_words_fit
from hf_grok.probes.inputs.predictions import (
    NOWHERE,
    masked_tokens_of,
    negative_log_likelihood,
    predict,
    predictions_of,
)
from hf_grok.probes.inputs.wrappers import ready, sees_past_only

# The three share out the seventeen tags of Universal Dependencies. Numerals, which UD counts among
# the closed classes, are content here: their choice is not grammar's.
CONTENT = ("ADJ", "ADV", "INTJ", "NOUN", "NUM", "PROPN", "VERB")
FUNCTION = ("ADP", "AUX", "CCONJ", "DET", "PART", "PRON", "SCONJ")
OTHER = ("PUNCT", "SYM", "X")
CLASSES = ("content", "function", "other", "agreement", "all")


def class_losses(
    losses: Float[Tensor, "batch length"],
    members: Bool[Tensor, "class batch length"],
) -> tuple[Float[Tensor, " class"], Int[Tensor, " class"]]:
    """sum of `losses` over the members of each class, and their number.

    Args:
        losses: -log p of the predicted token, in nats, at each position.
        members: the token predicted there is of the class.

    Returns:
        float64 sums in nats, and int64 counts.
    """
    doubles = in_double(losses)
    sums = torch.where(members.to(doubles.device), doubles, 0.0).sum((1, 2))
    return sums, members.sum((1, 2))


def agreement_sites(upos: Sequence[str], heads: Sequence[int], deprels: Sequence[str]) -> list[int]:
    """Of each word with an nsubj, its first auxiliary or copula; the word itself if it has none.

    These are the words that agree with a subject, as 0-based places in order. Relations count by
    their universal part (nsubj:pass is an nsubj). A site is an AUX or a VERB; a predicate noun or
    adjective without a copula is none. Whether the form is finite is not looked at, and in
    languages whose finite auxiliary is not the first this finds another.

    Args:
        upos: UD part of speech of each word.
        heads: 1-based head of each word, 0 for the root.
        deprels: relation of each word to its head.
    """
    relations = [relation.partition(":")[0] for relation in deprels]
    predicates = {
        head for head, relation in zip(heads, relations, strict=True) if relation == "nsubj"
    }
    sites = set()
    for predicate in predicates - {0}:
        helpers = [
            place
            for place, (head, relation) in enumerate(zip(heads, relations, strict=True))
            if head == predicate and relation in ("aux", "cop")
        ]
        sites.add(helpers[0] if helpers else predicate - 1)
    return sorted(site for site in sites if upos[site] in ("AUX", "VERB"))


class TokenClassLoss(Probe):
    """class_loss_C = mean of -log p over the predicted tokens of class C, in nats a token.

    A causal model predicts every token but the first. From a masked one 15 % of a sentence's
    tokens are masked together, always the same (those of the run's validation loss on the same
    sentences with the same seed), and those are predicted. It is the language
    model's loss alone, without any penalty that training adds.

    - `class_loss_content`, `class_loss_function`, `class_loss_other`: by the part of speech of the
      token's word. Every token of a word counts. Punctuation, symbols and an end token that a
      causal model predicts are `other`, so that these three share out `class_loss_all`.
    - `class_loss_agreement`: words that agree with a subject, see `agreement_sites`; they are
      counted above too. Left out where the rows have no heads and deprels.

    Args:
        rows: with columns words and upos, and heads and deprels where there are.
        tokenizer: a fast one; with a mask token for a masked model.
        seed: of the tokens that are masked for a masked model; 0 or more.
        add_start: put a start token in front where the tokenizer adds none, so that a causal model
            predicts the first word too.
        allow_unknown: let words through that the tokenizer does not know.

    Raises:
        UserError: no row, a missing column, columns of different lengths, an unknown part of
            speech, or a word that the tokenizer does not know.

    Source: ours; parts of speech and relations are those of Universal Dependencies.
    """

    name = "class_loss"
    # 2: log-probabilities without the rounding of a large vocabulary; 3: masks are training's.
    version = 3
    source = "ours; classes by the parts of speech and relations of Universal Dependencies"
    metrics: ClassVar[Mapping[str, Metric]] = PROBES["class_loss"]

    def __init__(
        self,
        rows: Rows,
        tokenizer: PreTrainedTokenizerBase,
        *,
        seed: int = 0,
        add_start: bool = False,
        allow_unknown: bool = False,
    ) -> None:
        words, upos = column(rows, "words"), column(rows, "upos")
        if not words:
            raise UserError("there are no sentences: expected at least one row")
        for number, (sentence, tags) in enumerate(zip(words, upos, strict=True)):
            _check_tags(number, sentence, tags)
        self._sentences = encode_words(
            words, tokenizer, add_start=add_start, allow_unknown=allow_unknown
        )
        by_word = _classes_of_words(upos, _sites_of(rows, upos))
        self._members = _classes_of_tokens(by_word, self._sentences.word_of, self._sentences.mask)
        self._tokenizer = tokenizer
        self._masked = masked_tokens_of(self._sentences, seed=seed)

    def __len__(self) -> int:
        return len(self._sentences)

    def state(self, model: nn.Module, indices: Sequence[int] | None = None) -> State:
        """Summed loss and number of predicted tokens of each class, in the order of `CLASSES`."""
        model = ready(model)
        device = device_of(model)
        chosen = range(len(self)) if indices is None else indices
        check_words_fit(model, self._sentences)
        causal = sees_past_only(model)
        loss = torch.zeros(len(CLASSES), dtype=torch.double)
        tokens = torch.zeros(len(CLASSES), dtype=torch.int64)
        for batch in length_batches(self._sentences.lengths, chosen, token_budget(device)):
            predictions = predictions_of(
                self._sentences, batch, self._masked, self._tokenizer, causal=causal
            )
            members = members_predicted(self._members[:, batch], predictions.place)
            moved = predictions.to(device)
            with torch.no_grad():
                losses = negative_log_likelihood(predict(model, moved), moved.gold)
            sums, counts = class_losses(losses, members.to(device))
            loss += sums.cpu()
            tokens += counts.cpu()
        return {"loss": loss, "tokens": tokens}

    def compute(self, state: State) -> dict[str, float]:
        """Mean loss of each class that has a predicted token."""
        return {
            f"{self.name}_{kind}": float(loss) / int(tokens)
            for kind, loss, tokens in zip(CLASSES, state["loss"], state["tokens"], strict=True)
            if tokens
        }


def members_predicted(
    members: Bool[Tensor, "class batch whole"], place: Int[Tensor, "batch length"]
) -> Bool[Tensor, "class batch length"]:
    """Classes of the token that is predicted at each position; none where nothing is."""
    index = place.clamp(min=0).expand(len(members), -1, -1)
    return members.gather(2, index) & (place != NOWHERE)


def _classes_of_words(
    upos: Sequence[Sequence[str]], sites: Sequence[Sequence[int]]
) -> Bool[Tensor, "class sentence word"]:
    """Which word is of which class."""
    longest = max(len(tags) for tags in upos)
    members = torch.zeros(len(CLASSES), len(upos), longest, dtype=torch.bool)
    for number, (tags, places) in enumerate(zip(upos, sites, strict=True)):
        for index, kind in enumerate((CONTENT, FUNCTION, OTHER)):
            members[index, number, : len(tags)] = torch.tensor([tag in kind for tag in tags])
        members[CLASSES.index("agreement"), number, list(places)] = True
    return members


def _classes_of_tokens(
    by_word: Bool[Tensor, "class sentence word"],
    word_of: Int[Tensor, "sentence length"],
    real: Bool[Tensor, "sentence length"],
) -> Bool[Tensor, "class sentence length"]:
    """Which token is of which class: as its word; special tokens are other."""
    word = word_of.clamp(min=0).expand(len(by_word), -1, -1)
    members = by_word.gather(2, word) & (word_of != NO_WORD)
    members[CLASSES.index("other")] |= real & (word_of == NO_WORD)
    members[CLASSES.index("all")] = real
    return members


def _sites_of(rows: Rows, upos: Sequence[Sequence[str]]) -> list[list[int]]:
    """Agreement sites of each sentence; none anywhere where the rows have no dependencies."""
    present: Any = getattr(rows, "column_names", None) or next(iter(rows))
    if not {"heads", "deprels"} <= set(present):
        return [[] for _ in upos]
    return [
        agreement_sites(tags, sentence.heads, sentence.deprels)
        for tags, sentence in zip(upos, dependency_sentences(rows, unparsed=True), strict=True)
    ]


def _check_tags(number: int, words: Sequence[str], tags: Sequence[str]) -> None:
    if len(words) != len(tags):
        raise UserError(
            f"row {number}: {len(words)} words and {len(tags)} upos: expected one part of speech "
            "for each word"
        )
    for tag in tags:
        if tag not in CONTENT + FUNCTION + OTHER:
            raise unknown_name(f"part of speech of row {number}", tag, CONTENT + FUNCTION + OTHER)
