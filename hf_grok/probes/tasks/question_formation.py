"""Question formation: which auxiliary does the model move to the front?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.rows import Rows, column
from hf_grok.errors import UserError
from hf_grok.languages import OURS
from hf_grok.measurement.tally import Tally
from hf_grok.metrics import PROBES, Metric
from hf_grok.probes.inputs.encoding import EncodedLines
from hf_grok.probes.tasks.base import LanguageBehaviour, next_word_logits
from hf_grok.probes.tasks.greedy import greedy_is_gold
from hf_grok.probes.tasks.prompts import Prompts, add_by_label, prompts_of_task

AUXILIARIES = ("do", "does", "don't", "doesn't")
TASK = OURS["question-formation"].task
_COUNTED = ("accuracy", "main_share", "linear_share", "neither_share", "exact_match")


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


class QuestionBehaviour(LanguageBehaviour):
    """accuracy = share of `quest` lines whose gold first word is the model's best auxiliary.

    Scored are the lines whose source ends in `quest`. After the source, the best of do, does,
    don't, doesn't is the model's answer, whatever other words rank above it. Where a tokenizer cuts
    one of them up, its first token stands for it, as it does for greedy decoding among the four.

    - `accuracy`, and `accuracy_<modifier>` by the subject's modifier: the answer is the target's
      first word. The mean hides a rule about adjacency: object relatives can stay at 0.
    - `main_share`, `linear_share`, `neither_share`: the answer is the main auxiliary, the
      linearly first one, or neither, over the lines where these two differ as word forms. (Where
      they are one form, the answer does not tell which was moved.) The three sum to 1.
    - `exact_match`: greedy decoding over the whole vocabulary gives exactly the target.

    Args:
        rows: with columns source, target, words, main_index, subject_modifier.
        tokenizer: of the model; the first tokens of the four auxiliaries must differ.
        allow_unknown: let words through that the tokenizer does not know.
        add_start: put the tokenizer's start token in front where it adds none (GPT-2).

    Raises:
        UserError: no row is a `quest` line, or one does not fit its columns or the tokenizer.

    Source: Murty et al. 2023 (arXiv 2305.18741) for the first word; McCoy et al. 2020
    (arXiv 2001.03632) for the confusion of auxiliaries.
    """

    name: ClassVar[str] = "question_formation"
    version: ClassVar[int] = 1
    source: ClassVar[str] = "Murty et al. 2023 (arXiv 2305.18741); McCoy et al. 2020"
    metrics: ClassVar[Mapping[str, Metric]] = PROBES["question_formation"]

    def _read(
        self, rows: Rows, tokenizer: PreTrainedTokenizerBase, **flags: bool
    ) -> tuple[EncodedLines, Sequence[str]]:
        self._prompts = prompts_of_task(rows, TASK, tokenizer, whole_words=False, **flags)
        self._auxiliary_ids = _auxiliary_ids(tokenizer, rows, self._prompts)
        words, main_indices = column(rows, "words"), column(rows, "main_index")
        triples = [
            _auxiliaries_of(number, words[number], main_indices[number], target)
            for number, target in zip(self._prompts.numbers, self._prompts.targets, strict=True)
        ]
        self._gold, self._main, self._first = torch.tensor(triples).unbind(-1)
        _check_answers(self._prompts, self._auxiliary_ids[self._gold])
        by_modifier = (f"accuracy_{modifier}" for modifier in self._prompts.modifiers)
        return self._prompts.lines, [*_COUNTED, *by_modifier]

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


def _auxiliary_ids(
    tokenizer: PreTrainedTokenizerBase, rows: Rows, prompts: Prompts
) -> Int[Tensor, " auxiliary"]:
    """The first token of each auxiliary, as it follows a source."""
    source = column(rows, "source")[prompts.numbers[0]]
    prompt = int(prompts.starts[0]) - prompts.lines.offset
    following = [
        tokenizer(f"{source} {word}", add_special_tokens=False)["input_ids"][prompt:]
        for word in AUXILIARIES
    ]
    missing = [
        word
        for word, tokens in zip(AUXILIARIES, following, strict=True)
        if not tokens or tokenizer.unk_token_id in tokens
    ]
    if missing:
        raise UserError(
            f"the tokenizer does not know the auxiliaries {', '.join(missing)}: the choice is among"
            f" {', '.join(AUXILIARIES)}, so build it from the vocabulary of question formation"
        )
    first = [tokens[0] for tokens in following]
    if len(set(first)) < len(first):
        raise UserError(
            f"{type(tokenizer).__name__} begins several of {', '.join(AUXILIARIES)} with one token "
            f"({first}), so that the first token does not tell which was chosen: expected a "
            "tokenizer that knows whole words"
        )
    return torch.tensor(first)


def _check_answers(prompts: Prompts, expected: Int[Tensor, " line"]) -> None:
    """Every target begins with the token that stands for its auxiliary."""
    found = prompts.lines.ids[torch.arange(len(prompts.numbers)), prompts.starts]
    for number, token, wanted in zip(prompts.numbers, found, expected, strict=True):
        if token != wanted:
            raise UserError(
                f"row {number}: the target begins with token {int(token)}, and its auxiliary with "
                f"token {int(wanted)} in another line: expected a tokenizer that cuts a word alike "
                "in every line"
            )
