"""Onsets: the step at which a curve begins to rise, or to fall; or why there is none."""

from hf_grok.dynamics.onsets.find import default_window, find_onset

__all__ = ["default_window", "find_onset"]
