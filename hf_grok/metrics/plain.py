"""Numbers of other Trainers that everybody knows, by their names and nothing less.

A name is one of `PLAIN`, alone or after the prefix with which a Trainer logs it (`eval_`, `test_`,
`train/`, ...); after a prefix a data set's name may stand in front of it (`eval_<name>_loss`, as
transformers logs several). No other name says a direction: "gloss" is no loss.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hf_grok.metrics.metric import Metric


def _lower(meaning: str, unit: str) -> Metric:
    return Metric(meaning, unit, 0.0, None, False)


def _share(meaning: str) -> Metric:
    return Metric(meaning, "share", 0.0, 1.0, True)


def _score(meaning: str) -> Metric:
    """Such as are logged from 0 to 1 by some, and from 0 to 100 by others."""
    return Metric(meaning, "score", 0.0, None, True)


PLAIN: Mapping[str, Metric] = {
    "loss": _lower("mean loss", "nats"),
    "lm_loss": _lower("mean loss of a language model", "nats"),
    "mlm_loss": _lower("mean loss of a masked language model", "nats"),
    "nll": _lower("negative log-likelihood", "nats"),
    "perplexity": _lower("exp of the mean loss", "perplexity"),
    "ppl": _lower("exp of the mean loss", "perplexity"),
    "surprisal": _lower("mean surprisal", "bits"),
    "bits_per_byte": _lower("mean loss of a byte", "bits"),
    "error": _lower("error", "error"),
    "error_rate": _lower("errors", "share"),
    "wer": _lower("word error rate", "errors / word"),
    "word_error_rate": _lower("word error rate", "errors / word"),
    "cer": _lower("character error rate", "errors / character"),
    "mse": _lower("mean squared error", "squared"),
    "rmse": _lower("root of the mean squared error", "error"),
    "mae": _lower("mean absolute error", "error"),
    "accuracy": _share("share that is right"),
    "acc": _share("share that is right"),
    "balanced_accuracy": _share("mean of the classes' accuracies"),
    "exact_match": _share("outputs that are the target"),
    "uas": _share("words whose head is right"),
    "las": _share("words whose head and relation are right"),
    "parseval": _share("F1 of spans"),
    "f1": _score("F1"),
    "precision": _score("precision"),
    "recall": _score("recall"),
    "score": _score("score"),
    "bleu": _score("BLEU"),
    "chrf": _score("chrF"),
    "rouge1": _score("ROUGE-1"),
    "rouge2": _score("ROUGE-2"),
    "rougeL": _score("ROUGE-L"),
    "auc": _score("area under the ROC curve"),
    "matthews_correlation": _score("Matthews correlation"),
    "pearson": _score("Pearson correlation"),
    "spearmanr": _score("Spearman correlation"),
}

_NAME = re.compile(
    r"(?:(?:eval|test|train|validation|valid|val|dev|predict)[_/](?:(?P<data>.+)[_/])?)?"
    rf"(?P<name>{'|'.join(sorted(PLAIN, key=len, reverse=True))})"
)
# A "data set" of such a name makes another number of it: eval_negative_loss rises.
_TURNS = re.compile(r"(?:^|[_/])(?:neg|negative|minus|inverse)(?:$|[_/])")


def plain_metric(column: str) -> Metric | None:
    """The entry of `PLAIN` that a column's name is of; None if it is of none."""
    found = _NAME.fullmatch(column)
    if found is None or _TURNS.search(found["data"] or ""):
        return None
    return PLAIN[found["name"]]
