"""hf_grok.explorer: one HTML page in which the curves, trees and maps of runs can be asked."""

from hf_grok.explorer.write import write_explorer

__all__ = ["write_explorer"]
