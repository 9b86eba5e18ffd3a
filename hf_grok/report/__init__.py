"""hf_grok.report: one page and its figures from one or more runs."""

from hf_grok.report.write import write_report

__all__ = ["write_report"]
