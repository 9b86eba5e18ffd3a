"""Structural probes: what happens inside a model while it learns."""

from hf_grok.probes.base import Metric, Probe, State, add_states

__all__ = ["Metric", "Probe", "State", "add_states"]
