"""What the report says of the probes' numbers, held to what the probes say of them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hf_grok.probes.base import Metric, metric_of
from hf_grok.probes.registry import OURS, probe_class
from hf_grok.report.probe_metrics import (
    FAMILIES,
    RELATION,
    RELATION_OFFSET,
    SHARE,
    Family,
    Measure,
)

MEASURES = [(family, measure) for family in FAMILIES for measure in family.measures]


@pytest.fixture(scope="module")
def said() -> Mapping[str, Metric]:
    """Every metric of every probe."""
    return {name: metric for probe in OURS for name, metric in probe_class(probe).metrics.items()}


def name(case: object) -> str:
    return case.metric if isinstance(case, Measure) else ""


@pytest.mark.parametrize(("family", "measure"), MEASURES, ids=name)
def test_a_number_is_what_its_probe_says(
    family: Family, measure: Measure, said: Mapping[str, Metric]
) -> None:
    metric = said[measure.metric]
    reported = [baseline.metric for baseline in measure.baselines if baseline.metric]
    assert reported[:1] == ([metric.baseline] if metric.baseline else [])
    assert (family.limits == SHARE) == ((metric.lowest, metric.highest) == SHARE)
    assert family.headline == (metric.higher_is_better is True)
    assert set(reported) <= said.keys()


def test_every_probe_has_a_panel() -> None:
    drawn = {measure.metric for _, measure in MEASURES}
    for probe in OURS:
        assert drawn & probe_class(probe).metrics.keys(), probe


def test_the_baselines_without_a_number_are_those_of_the_definitions() -> None:
    constant = {
        (measure.metric, baseline.label): baseline.value
        for _, measure in MEASURES
        for baseline in measure.baselines
        if not baseline.metric
    }
    assert constant == {("tree_score", "random splits"): 0.0, ("pairs_accuracy", "chance"): 0.5}


def test_relations_are_named_as_the_probe_names_them(said: Mapping[str, Metric]) -> None:
    assert said[f"{RELATION}{{}}"].baseline == f"{RELATION_OFFSET}{{}}"
    assert metric_of(said, "uas_relation_offset_nsubj") is said[f"{RELATION_OFFSET}{{}}"]


def test_values_are_written_as_their_unit_asks() -> None:
    shares = next(family for family in FAMILIES if family.measures[0].metric == "uas_best_head")
    norms = next(family for family in FAMILIES if family.measures[0].metric == "norm_l2")
    assert (shares.say(0.998), norms.say(96.54)) == (".998", "96.5")
