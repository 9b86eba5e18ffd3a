"""Tense inflection: does the main verb agree with its subject, or with the nearest noun?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.rows import Rows, column
from hf_grok.errors import UserError
from hf_grok.languages import OURS
from hf_grok.measurement.tally import Tally
from hf_grok.metrics import PROBES, Metric
from hf_grok.probes.inputs.encoding import EncodedLines
from hf_grok.probes.tasks.base import LanguageBehaviour
from hf_grok.probes.tasks.greedy import decode_greedily
from hf_grok.probes.tasks.inflection import number_pair, recent_noun_differs
from hf_grok.probes.tasks.prompts import Prompts, add_by_label, prompts_of_task
from hf_grok.probes.tasks.tagging import TaggedRow, parts_of_speech, tag_places, tagged_rows

TASK = OURS["tense-inflection"].task
_COUNTED = ("accuracy", "main_verb_accuracy", "exact_match", "agree_recent_share")
NO_WORD = -1  # no token has this id


@dataclass(frozen=True)
class Answers:
    """What the outputs of a batch of lines are held against; word places are those of tokens.

    Attributes:
        gold: the right tokens.
        tags: part of speech of each word of the target, by its column in `may_be`.
        may_be: may_be[w, p] = word w occurs as part of speech p; the last row is all false, for
            every word beyond the tokenizer's.
        starts: first token of each target.
        verbs: token of each main verb.
    """

    gold: Int[Tensor, "batch length"]
    tags: Int[Tensor, "batch length"]
    may_be: Bool[Tensor, "word tag"]
    starts: Int[Tensor, " batch"]
    verbs: Int[Tensor, " batch"]


def words_at(
    ids: Int[Tensor, "batch length"], positions: Int[Tensor, " batch"]
) -> Int[Tensor, " batch"]:
    """ids[b, positions[b]] for every line b."""
    return ids.gather(1, positions[:, None]).squeeze(1)


def right_up_to(
    right: Bool[Tensor, "batch length"],
    starts: Int[Tensor, " batch"],
    stops: Int[Tensor, " batch"],
) -> Bool[Tensor, " batch"]:
    """all over t in [start, stop) of right[t]."""
    position = torch.arange(right.shape[1], device=right.device)
    inside = (position >= starts[:, None]) & (position < stops[:, None])
    return (right | ~inside).all(-1)


def tags_are_right(
    answers: Answers, draft: Int[Tensor, "batch length"], final: Int[Tensor, " batch"]
) -> Bool[Tensor, " batch"]:
    """Every output word up to `final` occurs as the part of speech that its place wants."""
    # A model may have more words than its tokenizer: those have the last row, no part of speech.
    nameless = len(answers.may_be) - 1
    words = torch.where(draft < nameless, draft, nameless)
    return right_up_to(answers.may_be[words, answers.tags], answers.starts, final)


def is_settled(
    answers: Answers, draft: Int[Tensor, "batch length"], final: Int[Tensor, " batch"]
) -> Bool[Tensor, " batch"]:
    """The main verb is known, and something is wrong already: later words change no measure."""
    verb_is_right = words_at(draft, answers.verbs) == words_at(answers.gold, answers.verbs)
    return (final > answers.verbs) & ~(verb_is_right & tags_are_right(answers, draft, final))


class TenseBehaviour(LanguageBehaviour):
    """accuracy = share of `PRESENT` lines with parts of speech and main verb right.

    Scored are the lines whose source ends in `PRESENT`. The output is the greedy continuation of
    the source, as many words as the target has. (No more are needed: a full stop that comes too
    early or not in the end is a wrong part of speech.)

    - `accuracy`, and `accuracy_<modifier>` by the subject's modifier: the sequence of parts of
      speech of the output is that of the target, and the main verb is the target's.
    - `main_verb_accuracy`: the word at the main verb's place is the target's, whatever the rest.
    - `agree_recent_share`: that word is the main verb in its other number, over the lines where
      the noun nearest to its left is of the other number. (Lines where the vocabulary does not
      hold both forms of noun and verb are left out: their number cannot be told.)
    - `exact_match`: the output is the target.

    A word's parts of speech are those it has in any of the rows, as a word of the source or as
    the target's word in its place; a word that occurs in no row has none, so it is wrong.

    Args:
        rows: with columns source, target, words, upos, main_index, subject_modifier.
        tokenizer: one token a word.
        allow_unknown: let words through that the tokenizer does not know.
        add_start: put the tokenizer's start token in front where it adds none.

    Raises:
        UserError: no row is a `PRESENT` line, or one does not fit its columns or the tokenizer.

    Source: Murty et al. 2023 (arXiv 2305.18741), main-verb accuracy; McCoy et al. 2020
    (arXiv 2001.03632), agree-recent.
    """

    name: ClassVar[str] = "tense_inflection"
    version: ClassVar[int] = 1
    source: ClassVar[str] = "Murty et al. 2023 (arXiv 2305.18741); McCoy et al. 2020"
    metrics: ClassVar[Mapping[str, Metric]] = PROBES["tense_inflection"]

    def _read(
        self, rows: Rows, tokenizer: PreTrainedTokenizerBase, **flags: bool
    ) -> tuple[EncodedLines, Sequence[str]]:
        self._prompts = prompts_of_task(rows, TASK, tokenizer, whole_words=True, **flags)
        tagged = tagged_rows(rows)
        self._may_be, tag_numbers = parts_of_speech(tagged, tokenizer)
        self._tags = tag_places(self._prompts, tagged, tag_numbers)
        main_indices = column(rows, "main_index")
        places = [main_indices[number] for number in self._prompts.numbers]
        _check_places(self._prompts, places)
        self._verbs = self._prompts.starts + torch.tensor(places)
        self._attractors = _attractors(self._prompts, tagged, places, tokenizer.get_vocab())
        by_modifier = (f"accuracy_{modifier}" for modifier in self._prompts.modifiers)
        return self._prompts.lines, [*_COUNTED, *by_modifier]

    def _score(
        self, model: nn.Module, ids: Int[Tensor, "batch length"], indices: Int[Tensor, " batch"]
    ) -> Tally:
        answers = self._answers(ids, indices)
        stops = self._prompts.stops[indices].to(ids.device)
        draft, final = decode_greedily(
            model, ids, answers.starts, stops, lambda *state: is_settled(answers, *state)
        )
        modifiers = [self._prompts.modifiers[index] for index in indices.tolist()]
        attractors = self._attractors[indices].to(ids.device)
        return inflection_tally(answers, draft, final, attractors, modifiers)

    def _answers(self, ids: Int[Tensor, "batch length"], indices: Int[Tensor, " batch"]) -> Answers:
        return Answers(
            gold=ids,
            tags=self._tags[indices, : ids.shape[1]].to(ids.device),
            may_be=self._may_be.to(ids.device),
            starts=self._prompts.starts[indices].to(ids.device),
            verbs=self._verbs[indices].to(ids.device),
        )


def inflection_tally(
    answers: Answers,
    draft: Int[Tensor, "batch length"],
    final: Int[Tensor, " batch"],
    attractors: Int[Tensor, " batch"],
    modifiers: Sequence[str],
) -> Tally:
    """Counts of right main verbs, right lines, and agreement with the nearest noun; by modifier.

    Args:
        answers: gold lines, and the place of each main verb.
        draft: what was decoded, after each line's prompt.
        final: draft[:final] is what was decoded for certain.
        attractors: the verb form that agrees with the nearest noun, NO_WORD where that is gold.
        modifiers: each line's kind of subject modifier.
    """
    verb = words_at(draft, answers.verbs)
    verb_is_right = verb == words_at(answers.gold, answers.verbs)
    # A line that was settled early has its error before `final`.
    exact = right_up_to(draft == answers.gold, answers.starts, final)
    tally = Tally()
    add_by_label(
        tally, "accuracy", verb_is_right & tags_are_right(answers, draft, final), modifiers
    )
    tally.add("main_verb_accuracy", int(verb_is_right.sum()), len(verb))
    tally.add("exact_match", int(exact.sum()), len(exact))
    telling = attractors != NO_WORD
    tally.add("agree_recent_share", int((verb == attractors).sum()), int(telling.sum()))
    return tally


def _check_places(prompts: Prompts, places: Sequence[int]) -> None:
    for number, target, place in zip(prompts.numbers, prompts.targets, places, strict=True):
        if not 0 <= place < len(target):
            raise UserError(
                f"row {number}: main_index {place} is no place in {' '.join(target)!r}: expected"
                f" the main verb's 0-based position, 0 to {len(target) - 1}"
            )


def _attractors(
    prompts: Prompts,
    tagged: Sequence[TaggedRow],
    places: Sequence[int],
    vocabulary: dict[str, int],
) -> Int[Tensor, " line"]:
    """The token that agrees with the nearest noun where subject and noun differ, else NO_WORD."""
    tokens = []
    for number, place in zip(prompts.numbers, places, strict=True):
        row = tagged[number]
        verb = row.target[place]
        pair = number_pair(verb, vocabulary)
        differs = recent_noun_differs(row.words, row.upos, place, verb, vocabulary)
        tokens.append(vocabulary[pair.other] if pair and differs else NO_WORD)
    return torch.tensor(tokens)
