from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from hf_grok.probes.tasks.greedy import decode_greedily, greedy_is_gold
from tests.probes.tasks.material import tiny_gpt2

VOCABULARY = 12


def lines(seed: int, longest: int = 20) -> tuple[Tensor, Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, VOCABULARY, (30, longest), generator=draw)
    starts = torch.randint(1, 10, (30,), generator=draw)
    stops = starts + torch.randint(1, 11, (30,), generator=draw)
    ids[torch.arange(longest) >= stops[:, None]] = 0
    return ids, starts, stops


def word_by_word(model: nn.Module, prompt: Tensor, words: int) -> list[int]:
    # The end token is a word like any other here.
    output = model.generate(
        prompt[None],
        attention_mask=torch.ones_like(prompt[None]),
        max_new_tokens=words,
        min_new_tokens=words,
        do_sample=False,
        pad_token_id=0,
        eos_token_id=None,
    )
    return output[0].tolist()


def never(draft: Tensor, final: Tensor) -> Tensor:
    return torch.zeros_like(final, dtype=torch.bool)


class Counting(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.lines = model, 0

    def forward(self, input_ids: Tensor, **options: bool) -> object:
        self.lines += len(input_ids)
        return self.model(input_ids=input_ids, **options)


@pytest.mark.parametrize("seed", range(4))
def test_drafts_end_in_the_words_of_generate(seed: int) -> None:
    model = tiny_gpt2(VOCABULARY, seed)
    ids, starts, stops = lines(seed)
    with torch.no_grad():
        draft, final = decode_greedily(model, ids, starts, stops, never)
    assert torch.equal(final, stops)
    for row, start, stop in zip(range(30), starts.tolist(), stops.tolist(), strict=True):
        assert draft[row, :stop].tolist() == word_by_word(model, ids[row, :start], stop - start)
        assert torch.equal(draft[row, stop:], ids[row, stop:])


@pytest.mark.parametrize("seed", range(4))
def test_one_pass_settles_exact_match(seed: int) -> None:
    model = tiny_gpt2(VOCABULARY, seed)
    ids, starts, stops = lines(seed)
    with torch.no_grad():
        greedy, _ = decode_greedily(model, ids, starts, stops, never)
        # Right lines, lines with a wrong last word, and lines with a wrong first word.
        gold = greedy.clone()
        gold[10:20].scatter_(1, stops[10:20, None] - 1, 1)
        gold[20:].scatter_(1, starts[20:, None], 1)
        exact = greedy_is_gold(model(gold).logits, gold, starts, stops)
    expected = [
        word_by_word(model, gold[row, :start], stop - start) == gold[row, :stop].tolist()
        for row, start, stop in zip(range(30), starts.tolist(), stops.tolist(), strict=True)
    ]
    assert exact.tolist() == expected
    assert 0 < sum(expected) < 30


def test_a_right_draft_takes_one_pass_and_a_settled_line_no_more() -> None:
    model = tiny_gpt2(VOCABULARY)
    ids, starts, stops = lines(0)
    with torch.no_grad():
        greedy, _ = decode_greedily(model, ids, starts, stops, never)
        for settled in (never, lambda draft, final: ~never(draft, final)):
            counting = Counting(model)
            draft = greedy if settled is never else ids
            decode_greedily(counting, draft, starts, stops, settled)
            assert counting.lines == 30


def test_what_is_final_is_greedy_even_when_settled_early() -> None:
    model = tiny_gpt2(VOCABULARY, 1)
    ids, starts, stops = lines(1)
    with torch.no_grad():
        whole, _ = decode_greedily(model, ids, starts, stops, never)
        part, final = decode_greedily(
            model, ids, starts, stops, lambda draft, final: final >= starts + 3
        )
    known = torch.arange(ids.shape[1]) < final[:, None]
    assert torch.equal(whole[known], part[known])
    assert (final >= torch.minimum(starts + 3, stops)).all()
    assert (final < stops).any()
