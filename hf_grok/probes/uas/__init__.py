"""Attention UAS: how many gold heads the attention heads of a model find."""

from hf_grok.probes.uas.probe import AttentionUAS

__all__ = ["AttentionUAS"]
