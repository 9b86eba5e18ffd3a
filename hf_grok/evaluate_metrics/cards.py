"""A metric's card, README.md in its folder, is where its description is written: once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from hf_grok.evaluate_metrics import path


@dataclass(frozen=True)
class Card:
    """What `evaluate.MetricInfo` takes of a card.

    Attributes:
        description: one paragraph.
        inputs: the sections on what goes in and what comes out.
        citation: BibTeX.
    """

    description: str
    inputs: str
    citation: str


def read_card(name: str) -> Card:
    """The card of the metric `name`."""
    text = (Path(path(name)) / "README.md").read_text(encoding="utf-8")
    _, header, body = text.split("---\n", 2)
    sections = dict(re.findall(r"^## (.+)\n\n((?:(?!## ).*\n)*)", body, flags=re.MULTILINE))
    citation = re.search(r"```bibtex\n(.*?)```", sections["Citation"], flags=re.DOTALL)
    return Card(
        description=yaml.safe_load(header)["description"].strip(),
        inputs=f"\nInputs\n\n{sections['Inputs']}\nOutput\n\n{sections['Output']}",
        citation=citation[1] if citation else "",
    )
