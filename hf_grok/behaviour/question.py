"""Question formation: which auxiliary does the model move to the front?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.rows import Rows, column
from hf_grok.behaviour.base import Behaviour, next_word_logits
from hf_grok.behaviour.greedy import greedy_is_gold
from hf_grok.behaviour.prompts import add_by_label, prompts_of_task
from hf_grok.errors import UserError
from hf_grok.languages import OURS
from hf_grok.tally import Tally

AUXILIARIES = ("do", "does", "don't", "doesn't")
TASK = OURS["question-formation"].task


def chosen_auxiliary(
    logits: Float[Tensor, "batch length vocabulary"],
    last_prompt: Int[Tensor, " batch"],
    auxiliary_ids: Int[Tensor, " auxiliary"],
) -> Int[Tensor, " batch"]:
    """argmax over the four auxiliaries of the logits at the last token of the prompt.

    Returns:
        Numbers of auxiliaries, 0 to 3, in the order of `auxiliary_ids`.
    """
    here = torch.arange(len(logits), device=logits.device)
    return logits[here, last_prompt][:, auxiliary_ids].argmax(-1)


class QuestionBehaviour(Behaviour):
    """accuracy = share of `quest` lines whose gold first word is the model's best auxiliary.

    Scored are the lines whose source ends in `quest`. After the source, the best of do, does,
    don't, doesn't is the model's answer, whatever other words rank above it.

    - `accuracy`, and `accuracy_<modifier>` by the subject's modifier: the answer is the target's
      first word. The mean hides a rule about adjacency: object relatives can stay at 0.
    - `main_share`, `linear_share`, `neither_share`: the answer is the main auxiliary, the
      linearly first one, or neither, over the lines where these two differ as word forms. (Where
      they are one form, the answer does not tell which was moved.) The three sum to 1.
    - `exact_match`: greedy decoding over the whole vocabulary gives exactly the target.

    Args:
        rows: with columns source, target, words, main_index, subject_modifier.
        tokenizer: one token a word.

    Raises:
        UserError: no row is a `quest` line, or one does not fit its columns or the tokenizer.

    Source: Murty et al. 2023 (arXiv 2305.18741) for the first word; McCoy et al. 2020
    (arXiv 2001.03632) for the confusion of auxiliaries.
    """

    def __init__(self, rows: Rows, tokenizer: PreTrainedTokenizerBase) -> None:
        self._prompts = prompts_of_task(rows, TASK, tokenizer)
        super().__init__(self._prompts.lines)
        self._auxiliary_ids = _auxiliary_ids(tokenizer)
        words, main_indices = column(rows, "words"), column(rows, "main_index")
        triples = [
            _auxiliaries_of(number, words[number], main_indices[number], target)
            for number, target in zip(self._prompts.numbers, self._prompts.targets, strict=True)
        ]
        self._gold, self._main, self._first = torch.tensor(triples).unbind(-1)

    def _score(
        self, model: nn.Module, ids: Int[Tensor, "batch length"], indices: Int[Tensor, " batch"]
    ) -> Tally:
        starts, stops = (
            ends[indices].to(ids.device) for ends in (self._prompts.starts, self._prompts.stops)
        )
        logits = next_word_logits(model, ids)
        auxiliary_ids = self._auxiliary_ids.to(ids.device)
        chosen = chosen_auxiliary(logits, starts - 1, auxiliary_ids).cpu()
        exact = greedy_is_gold(logits, ids, starts, stops)
        tally = moved_auxiliary_tally(chosen, self._main[indices], self._first[indices])
        modifiers = [self._prompts.modifiers[index] for index in indices.tolist()]
        add_by_label(tally, "accuracy", chosen == self._gold[indices], modifiers)
        tally.add("exact_match", int(exact.sum()), len(exact))
        return tally


def moved_auxiliary_tally(
    chosen: Int[Tensor, " batch"], main: Int[Tensor, " batch"], first: Int[Tensor, " batch"]
) -> Tally:
    """Counts of chosen = main, chosen = first, chosen = neither, where main != first."""
    telling = main != first
    cases = int(telling.sum())
    moved_main = int(((chosen == main) & telling).sum())
    moved_first = int(((chosen == first) & telling).sum())
    tally = Tally()
    tally.add("main_share", moved_main, cases)
    tally.add("linear_share", moved_first, cases)
    tally.add("neither_share", cases - moved_main - moved_first, cases)
    return tally


def _auxiliaries_of(
    number: int, words: Sequence[str], main_index: int, target: Sequence[str]
) -> tuple[int, int, int]:
    """The target's first word, the main auxiliary and the linearly first one, as numbers."""
    if not target or target[0] not in AUXILIARIES:
        raise UserError(
            f"row {number}: the target starts with {target[:1]}: expected one of the auxiliaries"
            f" {', '.join(AUXILIARIES)}"
        )
    if not 0 <= main_index < len(words) or words[main_index] not in AUXILIARIES:
        raise UserError(
            f"row {number}: main_index {main_index} is not an auxiliary of {' '.join(words)!r}:"
            f" expected the 0-based position of one of {', '.join(AUXILIARIES)}"
        )
    first = next(word for word in words if word in AUXILIARIES)
    gold, main, linear = (AUXILIARIES.index(word) for word in (target[0], words[main_index], first))
    return gold, main, linear


def _auxiliary_ids(tokenizer: PreTrainedTokenizerBase) -> Int[Tensor, " auxiliary"]:
    vocabulary = tokenizer.get_vocab()
    missing = [word for word in AUXILIARIES if word not in vocabulary]
    if missing:
        raise UserError(
            f"the tokenizer does not know the auxiliaries {', '.join(missing)}: the choice is among"
            f" {', '.join(AUXILIARIES)}, so build it from the vocabulary of question formation"
        )
    return torch.tensor([vocabulary[word] for word in AUXILIARIES])
