"""The probe: what it takes, what it reports, and that its state adds up."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
import torch
from tokenizers.processors import TemplateProcessing

from hf_grok.datasets_scripts import QuestionFormation, TenseInflection
from hf_grok.errors import UserError
from hf_grok.measurement.guard import watching
from hf_grok.metrics import metric_of
from hf_grok.models import word_level_tokenizer
from hf_grok.probes.base import add_states
from hf_grok.probes.trees import probe as tree_projection
from hf_grok.probes.trees.charts import choose_splits, tree_of, tree_score
from hf_grok.probes.trees.probe import TreeProjection
from hf_grok.probes.trees.sentences import gold_trees, projected_sentences
from hf_grok.probes.trees.span_states import span_similarities
from tests.probes.matrix import ARCHITECTURES, BIDIRECTIONAL, CAUSAL, model_of
from tests.probes.trees.material import SENTENCES, WORDS, laid_out, one_token_tokenizer

CLOSE = {"atol": 1e-5, "rtol": 0.0}


def right_branching_spans(words: int) -> list[list[int]]:
    return [[start, words] for start in range(words - 1)]


def rows_with_gold() -> list[dict[str, Any]]:
    """The shared sentences with a period each and right-branching trees, and one of one word."""
    sentences = [*SENTENCES, ["f"]]
    return [
        {"words": [*words, "."], "spans": right_branching_spans(len(words))} for words in sentences
    ]


def tokenizer_for(name: str) -> Any:
    return word_level_tokenizer((*WORDS, "."), append_end=name in BIDIRECTIONAL)


def probe_for(name: str, **options: Any) -> TreeProjection:
    return TreeProjection(rows_with_gold(), tokenizer_for(name), **options)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_is_the_projection_of_its_chart(name: str) -> None:
    model, tokenizer = model_of(name), tokenizer_for(name)
    numbers = TreeProjection(rows_with_gold(), tokenizer).measure(model)
    sentences = laid_out(tokenizer, SENTENCES)
    with torch.no_grad():
        splits = choose_splits(span_similarities(model, sentences))
    tree = tree_of(splits.edge, sentences.words)
    assert numbers["tree_score"] == pytest.approx(float(tree_score(splits, tree).mean()), abs=1e-5)
    right, found = 0, int(tree.sum())
    for one, words in zip(tree, sentences.words.tolist(), strict=True):
        right += sum(int(one[start, end]) for start, end in right_branching_spans(words))
    assert numbers["tree_parseval"] == pytest.approx(right / found)
    assert numbers["tree_right_branching"] == 1
    assert numbers["tree_sentences"] == 5
    assert numbers["tree_skipped"] == 1
    assert all(type(number) is float for number in numbers.values())


@pytest.mark.parametrize("options", [{}, {"baseline": "sample", "seed": 7}, {"algorithm": "chart"}])
@pytest.mark.parametrize("name", ["vanilla", "bert"])
def test_states_of_ragged_parts_add_up(name: str, options: dict[str, Any]) -> None:
    model, probe = model_of(name), probe_for(name, **options)
    order = list(range(len(probe)))
    random.Random(0).shuffle(order)
    whole = probe.state(model)
    parts = [order[:1], order[1:4], [], order[4:]]
    summed = add_states(probe.state(model, part) for part in parts)
    assert summed.keys() == whole.keys()
    for key, values in whole.items():
        torch.testing.assert_close(summed[key], values, **CLOSE)
    numbers = probe.compute(whole)
    assert probe.compute(summed) == pytest.approx(numbers, abs=1e-5)


def test_a_few_sentences_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    model, probe = model_of("llama"), probe_for("llama")
    expected = probe.measure(model)
    monkeypatch.setattr(tree_projection, "SENTENCES_AT_A_TIME", 2)
    assert probe.measure(model) == pytest.approx(expected, abs=1e-5)


def test_the_state_of_nothing() -> None:
    model, probe = model_of("gpt2"), probe_for("gpt2")
    state, whole = probe.state(model, []), probe.state(model)
    assert {name: values.shape for name, values in state.items()} == {
        name: values.shape for name, values in whole.items()
    }
    assert all(values.dtype == whole[name].dtype for name, values in state.items())
    assert all(not values.any() for values in state.values())
    assert probe.compute(state) == {"tree_sentences": 0}
    assert probe.picture(state) is None


def test_without_gold_trees_only_the_score() -> None:
    rows = [{"words": row["words"]} for row in rows_with_gold()]
    numbers = TreeProjection(rows, tokenizer_for("neox")).measure(model_of("neox"))
    assert numbers.keys() == {"tree_sentences", "tree_skipped", "tree_score"}


def test_every_number_is_declared() -> None:
    numbers = probe_for("vanilla").measure(model_of("vanilla"))
    assert numbers.keys() == TreeProjection.metrics.keys()
    for name, number in numbers.items():
        metric = metric_of(TreeProjection.metrics, name)
        assert metric.lowest is None or number >= metric.lowest
        assert metric.highest is None or number <= metric.highest
        assert metric.baseline is None or metric.baseline in numbers


def test_the_final_period_is_not_projected() -> None:
    model, tokenizer = model_of("vanilla"), tokenizer_for("vanilla")
    rows = [{"words": words} for words in SENTENCES]
    expected = TreeProjection(rows, tokenizer).measure(model)
    dotted = [{"words": [*words, "."]} for words in SENTENCES]
    assert TreeProjection(dotted, tokenizer).measure(model) == expected
    kept = TreeProjection(dotted, tokenizer, drop_final_punctuation=False).measure(model)
    assert kept["tree_score"] != expected["tree_score"]


def test_a_treebanks_spans_may_take_in_the_final_period() -> None:
    # Two trees over words and period, and the same without the period, as one takes out a leaf.
    words = [["a", "b", "c", "."], ["b", "a", "."]]
    over_all = [[[0, 4], [1, 4], [1, 3]], [[0, 3], [1, 3]]]
    without = [[[0, 3], [1, 3]], [[0, 2]]]
    numbers = []
    for spans in (over_all, without):
        rows = [{"words": w, "spans": s} for w, s in zip(words, spans, strict=True)]
        numbers.append(TreeProjection(rows, tokenizer_for("vanilla")).measure(model_of("vanilla")))
    assert numbers[0] == numbers[1]
    assert numbers[0]["tree_right_branching"] == 1


def test_the_threshold_and_the_algorithm_matter() -> None:
    model = model_of("vanilla")
    scores = [
        probe_for("vanilla", **options).measure(model)["tree_score"]
        for options in ({}, {"threshold": 1}, {"algorithm": "chart"}, {"baseline": "sample"})
    ]
    assert len(set(scores)) == 4


@pytest.mark.parametrize("name", CAUSAL)
def test_a_causal_model_s_greatest_sum_branches_left(name: str) -> None:
    """As the docstring warns: a prefix of the sentence sees all it would see, so its value is 1."""
    probe = probe_for(name, algorithm="chart", picture_sentences=[0])
    drawn = probe.picture(probe.state(model_of(name)))["sentences"][0]
    assert drawn["projected"] == [[0, end] for end in range(2, 9)]


def test_drawn_splits_go_by_the_seed() -> None:
    model = model_of("vanilla")
    scores = [
        probe_for("vanilla", baseline="sample", seed=seed).measure(model)["tree_score"]
        for seed in (0, 0, 1)
    ]
    assert scores[0] == scores[1] != scores[2]


@pytest.mark.parametrize("builder", [QuestionFormation, TenseInflection])
def test_the_builders_spans_are_trees_of_the_projected_words(builder: Any) -> None:
    made = builder(train_size=0, validation_size=0, test_size=40, generalization_size=40)
    for split in ("test", "generalization"):
        rows = [made.row(example) for example in made.examples(split)]
        sentences = projected_sentences(rows, drop_final_punctuation=True)
        assert all("." not in sentence.words for sentence in sentences)
        words = torch.tensor([len(sentence.words) for sentence in sentences])
        gold = gold_trees(sentences)
        assert torch.equal(gold.sum((1, 2)), words - 1)
        chart = (gold | torch.ones_like(gold).triu(1).tril(1)).double()
        assert torch.equal(tree_of(choose_splits(chart).edge, words), gold)


def test_two_words_score_nothing() -> None:
    rows = [{"words": ["a", "b", "."], "spans": [[0, 2]]}]
    numbers = TreeProjection(rows, tokenizer_for("vanilla")).measure(model_of("vanilla"))
    assert numbers["tree_score"] == 0
    assert numbers["tree_parseval"] == numbers["tree_random"] == 1


def test_gold_trees_need_not_be_binary_nor_name_the_sentence() -> None:
    rows = [{"words": ["a", "b", "c", "d", "."], "spans": [[0, 2]]}]
    numbers = TreeProjection(rows, tokenizer_for("vanilla")).measure(model_of("vanilla"))
    # Two gold spans, the sentence included, and three in any binary tree.
    assert numbers["tree_right_branching"] == pytest.approx(2 * 1 / 5)
    assert numbers["tree_left_branching"] == pytest.approx(2 * 2 / 5)
    assert numbers["tree_random"] == pytest.approx(2 * (1 + 1 / 2) / 5)


def test_the_picture() -> None:
    model, probe = model_of("vanilla"), probe_for("vanilla", picture_sentences=2)
    picture = probe.picture(probe.state(model))
    assert json.loads(json.dumps(picture)) == picture
    first, second = picture["sentences"]
    assert (first["row"], second["row"]) == (0, 2)  # row 1 has two words: there is one tree
    assert first["words"] == SENTENCES[0]
    assert first["gold"] == right_branching_spans(8)
    assert len(first["projected"]) == 7
    assert [0, 8] in first["projected"]
    parts = [probe.state(model, part) for part in ([2, 1], [3, 0])]
    assert probe.picture(add_states(parts)) == picture
    assert [one["row"] for one in probe.picture(parts[0])["sentences"]] == [2]


def test_the_picture_of_chosen_rows_without_gold() -> None:
    rows = [{"words": words} for words in SENTENCES]
    model = model_of("vanilla")
    probe = TreeProjection(rows, tokenizer_for("vanilla"), picture_sentences=[4, 1])
    drawn = probe.picture(probe.state(model))["sentences"]
    assert [one["row"] for one in drawn] == [4, 1]
    assert drawn[1]["projected"] == [[0, 2]]
    assert drawn[0]["gold"] is None
    probe = TreeProjection(rows, tokenizer_for("vanilla"), picture_sentences=0)
    assert probe.picture(probe.state(model)) is None


@pytest.mark.parametrize("name", ["vanilla", "modernbert"])
def test_watching_changes_nothing(name: str) -> None:
    model, probe = model_of(name), probe_for(name, baseline="sample")
    before = copy.deepcopy(model.state_dict())
    model.train()
    torch_state, python_state = torch.get_rng_state(), random.getstate()
    with watching(model):
        probe.measure(model)
    assert all(torch.equal(values, before[key]) for key, values in model.state_dict().items())
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert random.getstate() == python_state
    assert model.config._attn_implementation == "sdpa"


def test_training_mode_is_refused() -> None:
    with pytest.raises(RuntimeError, match="training mode"):
        probe_for("vanilla").state(model_of("vanilla").train())


def test_a_tokenizer_without_a_start_token() -> None:
    tokenizer = one_token_tokenizer(end=False)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="$A", special_tokens=[])
    rows = [{"words": words} for words in SENTENCES]
    with pytest.raises(UserError, match=r"no start token in front.*pass add_start=True"):
        TreeProjection(rows, tokenizer)
    added = TreeProjection(rows, tokenizer, add_start=True).measure(model_of("gpt2"))
    usual = TreeProjection(rows, one_token_tokenizer(end=False)).measure(model_of("gpt2"))
    assert added == usual


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": "sampel"}, "unknown baseline 'sampel'.*Did you mean 'sample'"),
        ({"algorithm": "cky"}, "unknown algorithm 'cky': expected one of chart, top_down"),
        ({"threshold": -1}, "threshold=-1: expected a whole number, 0 or more"),
        ({"seed": -2}, "seed=-2: expected a whole number"),
        ({"picture_sentences": [6]}, "picture_sentences has row 6, but there are rows 0 to 5"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        probe_for("vanilla", **options)


def test_a_threshold_beyond_the_layers() -> None:
    with pytest.raises(UserError, match=r"threshold=2, but .* has 2 layers"):
        probe_for("vanilla", threshold=2).state(model_of("vanilla"))


def test_a_sentence_longer_than_the_model() -> None:
    rows = [{"words": ["a"] * 64}]
    probe = TreeProjection(rows, tokenizer_for("vanilla"))
    with pytest.raises(UserError, match="longest line has 65 tokens and the model only 64"):
        probe.state(model_of("vanilla"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"words": ["."]}, "row 0 has no words, its final punctuation left out"),
        ({"words": ["a", "z", "."]}, "does not know word 2, 'z'"),
        ({"upos": []}, "row 0 has no column 'words'"),
    ],
)
def test_rows_that_do_not_fit(row: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        TreeProjection([row], tokenizer_for("vanilla"))


def test_unknown_words_may_be_allowed() -> None:
    probe = TreeProjection([{"words": ["a", "z"]}], tokenizer_for("vanilla"), allow_unknown=True)
    assert len(probe) == 1
