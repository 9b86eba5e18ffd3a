"""What the report knows of the probes' numbers: their words, their ranges, what to compare with.

Probes say the same of themselves (`hf_grok.probes.base.Metric`), but a report is written where
torch may be missing; `tests/report/test_probe_metrics.py` holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass

from hf_grok.report import numerals

SHARE = (0.0, 1.0)


@dataclass(frozen=True)
class Baseline:
    """What a number would be without the model's structure.

    Args:
        label: beside its line.
        metric: the number that the probe reports it as; "" where it is always the same.
        value: what it always is, where there is no such number.
    """

    label: str
    metric: str = ""
    value: float | None = None

    @property
    def column(self) -> str:
        """Its column in a run's evaluations."""
        return f"eval_{self.metric}"


@dataclass(frozen=True)
class Measure:
    """One number of a probe.

    Args:
        metric: its name, as the probe reports it.
        label: beside its curve.
        baselines: what to compare it with, the one to beat first.
    """

    metric: str
    label: str
    baselines: tuple[Baseline, ...] = ()

    @property
    def column(self) -> str:
        """Its column in a run's evaluations."""
        return f"eval_{self.metric}"


@dataclass(frozen=True)
class Family:
    """Numbers that are drawn over each other.

    Args:
        title: what they are, and in which unit.
        measures: the numbers.
        limits: of the axis; None where it follows the values.
        logarithmic: the numbers change by factors.
        headline: last and best value belong into the table: higher is better.
    """

    title: str
    measures: tuple[Measure, ...]
    limits: tuple[float, float] | None = None
    logarithmic: bool = False
    headline: bool = False

    def say(self, value: float) -> str:
        """A value of these numbers, as labels and tables write it."""
        return numerals.accuracy(value) if self.limits == SHARE else numerals.plain(value)


def _uas(title: str, metric: str, label: str, offset: str, offset_label: str) -> Family:
    baseline = Baseline(offset_label, offset)
    return Family(title, (Measure(metric, label, (baseline,)),), SHARE, headline=True)


_ALL_PIECES = Baseline("all", "class_loss_all")
# In the order in which they are drawn.
FAMILIES: tuple[Family, ...] = (
    _uas(
        "UAS, best head of each relation",
        "uas_best_head",
        "best heads",
        "uas_best_offset",
        "best offsets",
    ),
    _uas(
        "UAS, one head for all words",
        "uas_single_head",
        "best head",
        "uas_single_offset",
        "best offset",
    ),
    _uas(
        "UAS of arcs at uncommon offsets",
        "uas_atypical",
        "best heads",
        "uas_atypical_offset",
        "best offsets",
    ),
    Family(
        "Tree projection: F1 with gold trees",
        (
            Measure(
                "tree_parseval",
                "projected",
                (
                    Baseline("right-branching", "tree_right_branching"),
                    Baseline("left-branching", "tree_left_branching"),
                    Baseline("random", "tree_random"),
                ),
            ),
        ),
        SHARE,
        headline=True,
    ),
    Family(
        "Tree score: cosine above random splits",
        (Measure("tree_score", "projected", (Baseline("random splits", value=0.0),)),),
        headline=True,
    ),
    Family(
        "Minimal pairs: accuracy",
        (Measure("pairs_accuracy", "mean", (Baseline("chance", value=0.5),)),),
        SHARE,
        headline=True,
    ),
    Family(
        "Loss by class of word (nats a piece)",
        (
            Measure("class_loss_content", "content", (_ALL_PIECES,)),
            Measure("class_loss_function", "function", (_ALL_PIECES,)),
            Measure("class_loss_agreement", "agreement", (_ALL_PIECES,)),
        ),
    ),
    Family(
        "Attention sparsity: -1 even, 0 one position",
        (Measure("sparsity_normalised", "mean"),),
    ),
    Family("Weight norm: L2, all parameters", (Measure("norm_l2", "norm"),)),
    Family(
        "Intrinsic dimension (TwoNN)",
        (
            Measure("intrinsic_dimension_cosine", "cosine"),
            Measure("intrinsic_dimension_euclidean", "Euclidean"),
        ),
    ),
    Family(
        "Trace of the empirical Fisher (log scale)",
        (Measure("fisher_trace", "sampled labels"), Measure("fisher_trace_gold", "gold labels")),
        logarithmic=True,
    ),
)

RELATION = "uas_relation_"
RELATION_OFFSET = "uas_relation_offset_"
