"""Structural probes: what happens inside a model while it learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hf_grok._lazy import lazily
from hf_grok.metrics import Metric
from hf_grok.probes.base import Probe, State, add_states
from hf_grok.probes.registry import OURS, build_probe, build_probes, probe_class, probe_names

if TYPE_CHECKING:
    from hf_grok.probes.class_loss import TokenClassLoss
    from hf_grok.probes.dimension.probe import IntrinsicDimension
    from hf_grok.probes.fisher.probe import EmpiricalFisher
    from hf_grok.probes.pairs.probe import MinimalPairAccuracy
    from hf_grok.probes.sparsity import AttentionSparsity
    from hf_grok.probes.trees.probe import TreeProjection
    from hf_grok.probes.uas.probe import AttentionUAS
    from hf_grok.probes.weight_norm import WeightNorm

__all__ = [
    "AttentionSparsity",
    "AttentionUAS",
    "EmpiricalFisher",
    "IntrinsicDimension",
    "Metric",
    "MinimalPairAccuracy",
    "Probe",
    "State",
    "TokenClassLoss",
    "TreeProjection",
    "WeightNorm",
    "add_states",
    "build_probe",
    "build_probes",
    "probe_class",
    "probe_names",
]

_HOMES = {attribute: module for module, attribute in OURS.values()}

__getattr__, __dir__ = lazily(__name__, _HOMES)
