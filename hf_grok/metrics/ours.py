"""The numbers of this package, each once: what a run measures, and what its probes do.

In the order in which they are shown. A probe's `metrics` are those of its name here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from hf_grok.metrics.metric import Level, Metric

# The columns of a run's evaluations that every recipe has.
VALIDATION_LOSS = "eval_loss"
IN_DISTRIBUTION = "eval_in_distribution_accuracy"
GENERALIZATION = "eval_generalization_accuracy"
EXACT_MATCH = "eval_in_distribution_exact_match"

_share = partial(Metric, unit="share", lowest=0.0, highest=1.0)
_score = partial(_share, higher_is_better=True)
_positive = partial(Metric, lowest=0.0)


# What is counted of what a model does (`hf_grok.probes.tasks`), on whatever split.
_RIGHT: Mapping[str, str] = {
    "accuracy": "lines answered right",
    "accuracy_{}": "lines of this kind answered right",
    "accuracy_all": "all closing brackets that are right",
    "accuracy_distance_{}": "closing brackets at this distance that are right",
    "main_verb_accuracy": "lines whose main verb is right",
    "exact_match": "lines whose output is the target",
    "main_share": "lines that move the main auxiliary, where the rules differ",
}
_EITHER_WAY: Mapping[str, str] = {
    "linear_share": "lines that move the linearly first auxiliary, where the rules differ",
    "neither_share": "lines that move neither auxiliary, where the rules differ",
    "agree_recent_share": "verbs that agree with the nearest noun, where the subject differs",
}
_QUESTIONS = ("main_share", "linear_share", "neither_share", "exact_match")


def _behaviour(prefix: str, words: str, names: Iterable[str], **shown: Any) -> dict[str, Metric]:
    """What a language asks of a model, the numbers' names beginning with `prefix`."""
    facts = {name: _score(f"{meaning}, {words}") for name, meaning in _RIGHT.items()}
    facts |= {name: _share(f"{meaning}, {words}") for name, meaning in _EITHER_WAY.items()}
    facts["accuracy"] = replace(
        facts["accuracy"], headline=True, kind="accuracy", margin=0.8, swings=True,
        title=f"accuracy, {words}", panel=f"{words.capitalize()} accuracy", **shown,
    )  # fmt: skip
    return {f"{prefix}_{name}": facts[name] for name in names}


RUN: Mapping[str, Metric] = {
    "loss": _positive(
        "mean loss of a predicted token on validation data", unit="nats / token",
        higher_is_better=False, title="loss, validation", label="loss", headline=True,
        kind="loss", split="validation", panel="Validation loss (nats a token)",
    ),
    **_behaviour(
        "in_distribution", "in distribution", (*_RIGHT, *_EITHER_WAY), label="in-distribution",
        split="test",
    ),
    **_behaviour(
        "generalization", "generalization", (*_RIGHT, *_EITHER_WAY), label="generalization",
        split="generalization",
    ),
}  # fmt: skip

_UAS: Mapping[str, Metric] = {
    "uas_best_head": _score(
        "arcs found with the best head of each relation", baseline="uas_best_offset",
        title="UAS, best heads", label="best heads", headline=True, kind="uas", split="test",
        panel="UAS, best head of each relation",
    ),
    "uas_single_head": _score(
        "words whose head the best single attention head finds, punctuation and root included",
        baseline="uas_single_offset", title="UAS, one head", label="best head", headline=True,
        kind="uas", split="test", panel="UAS, one head for all words",
    ),
    "uas_atypical": _score(
        "arcs found that are not at the commonest offset of their relation",
        baseline="uas_atypical_offset", title="UAS, uncommon offsets", label="best heads",
        headline=True, kind="uas", split="test", panel="UAS of arcs at uncommon offsets",
    ),
    "uas_single_head_without_punct": _score(
        "arcs that the best single attention head finds, punctuation and root left out",
        baseline="uas_single_offset_without_punct",
    ),
    "uas_relation_{}": _score(
        "arcs of the relation that its best head finds", baseline="uas_relation_offset_{}"
    ),
    "uas_attention_mass": _score(
        "mean attention weight on gold arcs with the best head of each relation"
    ),
    "uas_mass_{}": _score("mean attention weight of the relation's best head on its arcs"),
    "uas_offset_{}": _share("words whose head stands at this offset, root included"),
    "uas_single_offset": _share(
        "words whose head stands at the best single offset", title="the best fixed offset",
        label="best offset",
    ),
    "uas_single_offset_without_punct": _share(
        "arcs at the best single offset, punctuation and root left out"
    ),
    "uas_best_offset": _share(
        "arcs at the best offset of each relation",
        title="the best fixed offset of each relation", label="best offsets",
    ),
    "uas_relation_offset_{}": _share("arcs of the relation at its best offset"),
    "uas_atypical_offset": _share(
        "arcs not at the commonest offset of their relation that its best other offset finds",
        title="the best fixed offset", label="best offsets",
    ),
    "uas_arcs": _positive("scored arcs", unit="arcs"),
    "uas_left_out": _positive("arcs left out, whose earlier word takes the sink", unit="arcs"),
}  # fmt: skip

_TREE: Mapping[str, Metric] = {
    "tree_parseval": _score(
        "F1 of projected and gold spans", baseline="tree_right_branching",
        beside=("tree_left_branching", "tree_random"), title="parseval F1 of projected trees",
        label="projected", headline=True, kind="parseval", split="test",
        panel="Tree projection: F1 with gold trees",
    ),
    # 0 is where random splits lie in expectation, not what a curve above it would have to beat.
    "tree_score": Metric(
        "value of the tree's splits above random ones", "cosine", higher_is_better=True,
        beside=(Level("random splits", 0.0),), title="tree score", label="projected",
        headline=True, split="test", panel="Tree score: cosine above random splits",
    ),
    "tree_right_branching": _share(
        "F1 of right-branching trees", title="right-branching trees", label="right-branching"
    ),
    "tree_left_branching": _share("F1 of left-branching trees", label="left-branching"),
    "tree_random": _share("expected F1 of random trees", label="random"),
    "tree_sentences": _positive("sentences of two words or more", unit="sentences"),
    "tree_skipped": _positive("sentences of one word", unit="sentences"),
}  # fmt: skip

CHANCE = Level("chance", 0.5)
_PAIRS: Mapping[str, Metric] = {
    "pairs_accuracy": _score(
        "pairs whose good sentence is the likelier, mean of paradigms", baseline=CHANCE,
        title="accuracy, minimal pairs", label="mean", headline=True, kind="accuracy",
        panel="Minimal pairs: accuracy", margin=0.1,
    ),
    "pairs_ties": _share("minimal pairs whose scores are equal", higher_is_better=False),
    "pairs_phenomenon_{}": _score(
        "mean of the accuracies of a phenomenon's paradigms", baseline=CHANCE
    ),
    "pairs_{}": _score("accuracy of a paradigm", title="{}", baseline=CHANCE),
}  # fmt: skip


def _class_loss(meaning: str, label: str, baseline: str | None = "class_loss_all") -> Metric:
    panel = "" if label in ("all", "other") else "Loss by class of word (nats a token)"
    return Metric(
        meaning, "nats / token", 0.0, None, False, baseline, label=label, panel=panel
    )  # fmt: skip


_CLASS_LOSS: Mapping[str, Metric] = {
    "class_loss_content": _class_loss(
        "loss at nouns, verbs, adjectives, adverbs, names, numerals, interjections", "content"
    ),
    "class_loss_function": _class_loss(
        "loss at adpositions, auxiliaries, conjunctions, determiners, pronouns", "function"
    ),
    "class_loss_agreement": _class_loss(
        "loss at verbs and auxiliaries that agree with a subject", "agreement"
    ),
    "class_loss_other": _class_loss("loss at punctuation, symbols and the end token", "other"),
    "class_loss_all": _class_loss("loss at every predicted token", "all", None),
}

# Growing sparsity is what is looked for, better or not.
_SPARSITY: Mapping[str, Metric] = {
    "sparsity_normalised": Metric(
        "minus the mean of entropy over its maximum", "share", -1.0, 0.0, sought="rise",
        title="attention sparsity", label="mean",
        panel="Attention sparsity: -1 even, 0 one position",
    ),
    "sparsity_negative_entropy": Metric(
        "minus the mean entropy of attention", "nats", highest=0.0, sought="rise"
    ),
}  # fmt: skip

_WITHOUT_GAINS = "all parameters but the gains of LayerNorm and RMSNorm"
_norm = partial(_positive, unit="weights")
_squared = partial(_positive, unit="squared weights")
_NORM: Mapping[str, Metric] = {
    "norm_l2": _norm(
        "L2 norm of all parameters",
        title="weight norm",
        label="norm",
        panel="Weight norm: L2, all parameters",
    ),
    "norm_l2_over_root_depth": _norm("L2 norm of all parameters / sqrt(layers)"),
    "norm_squared": _squared("squared L2 norm of all parameters"),
    "norm_l2_without_layernorm": _norm(f"L2 norm of {_WITHOUT_GAINS}"),
    "norm_squared_without_layernorm": _squared(f"squared L2 norm of {_WITHOUT_GAINS}"),
    "norm_unused_squared": _squared(
        "squared L2 norm of the parameters that the output does not depend on",
        baseline="norm_squared",
    ),
    "norm_matrix_{}": _norm("L2 norm of this parameter"),
}

_dimension = partial(_positive, unit="dimensions", panel="Intrinsic dimension (TwoNN)")
_DIMENSION: Mapping[str, Metric] = {
    "intrinsic_dimension_cosine": _dimension(
        "TwoNN dimension of sentence vectors, distance 1 - cosine", label="cosine"
    ),
    "intrinsic_dimension_euclidean": _dimension(
        "TwoNN dimension of sentence vectors, Euclidean distance", label="Euclidean"
    ),
    "intrinsic_dimension_points": _positive("points that the estimate is of", unit="points"),
}

_trace = partial(_positive, unit="squared nats / squared weight", logarithmic=True)
_TRACES = "Trace of the empirical Fisher (log scale)"
_FISHER: Mapping[str, Metric] = {
    "fisher_trace": _trace(
        "mean squared gradient norm of a sentence's log-likelihood, labels from the model",
        label="sampled labels", panel=_TRACES,
    ),
    "fisher_trace_gold": _trace(
        "mean squared gradient norm of a sentence's log-likelihood, gold labels",
        label="gold labels", panel=_TRACES,
    ),
    "fisher_trace_per_token": _trace("the same for a predicted token"),
}  # fmt: skip

PROBES: Mapping[str, Mapping[str, Metric]] = {
    "uas": _UAS,
    "tree": _TREE,
    "pairs": _PAIRS,
    "class_loss": _CLASS_LOSS,
    "sparsity": _SPARSITY,
    "norm": _NORM,
    "intrinsic_dimension": _DIMENSION,
    "fisher": _FISHER,
    "question_formation": _behaviour(
        "question_formation", "question formation", ("accuracy", "accuracy_{}", *_QUESTIONS)
    ),
    "tense_inflection": _behaviour(
        "tense_inflection",
        "tense inflection",
        ("accuracy", "accuracy_{}", "main_verb_accuracy", "exact_match", "agree_recent_share"),
    ),
    "dyck": _behaviour(
        "dyck", "Dyck strings", ("accuracy", "accuracy_all", "accuracy_distance_{}")
    ),
    "masked_loss": {
        "masked_loss": _positive(
            "mean loss of a masked token",
            unit="nats / token",
            higher_is_better=False,
            panel="Loss of masked tokens (nats a token)",
        )
    },
}
