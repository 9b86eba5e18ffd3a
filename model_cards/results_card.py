"""The card of a sweep's results: what was run, what each column is, how to load them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from huggingface_hub import DatasetCardData

from hf_grok.model_cards.dataset_card import size_category
from hf_grok.model_cards.markdown import environment, tidy
from hf_grok.model_cards.preserved import BEGINS, ENDS
from hf_grok.model_cards.scrub import scrubbed

RESULTS_TAG = "hf-grok-results"
"""By which a repository is known to hold results of a sweep, and no other data."""


@dataclasses.dataclass(frozen=True)
class ArmFacts:
    """One arm.

    Attributes:
        name: of the arm.
        settings: argument -> value, on top of the recipe.
        origin: what it branches off, in words; "" for a run from the beginning.
        runs: seeds of which the table has a run.
    """

    name: str
    settings: Mapping[str, Any]
    origin: str
    runs: Sequence[int]


@dataclasses.dataclass(frozen=True)
class ResultsCard:
    """Everything the template needs.

    Attributes:
        sweep: its name.
        recipe: with its scale, in words.
        arms: in the order of the sweep's file.
        seeds: of every arm.
        rows: of the table.
        runs: that it has.
        columns: column -> what it holds.
        metrics: metric -> (what it is, its unit), of all that the table has.
        versions: package -> version, of the sweep's last start.
        file: the table's name in the repository.
        repo_id: the repository.
    """

    sweep: str
    recipe: str
    arms: Sequence[ArmFacts]
    seeds: Sequence[int]
    rows: int
    runs: int
    columns: Mapping[str, str]
    metrics: Mapping[str, tuple[str, str]]
    versions: Mapping[str, str]
    file: str
    repo_id: str

    def load_with_datasets(self) -> str:
        """Two lines of Python that need no hf-grok."""
        return (
            "from datasets import load_dataset\n\n"
            f'table = load_dataset("{self.repo_id}", split="train").to_pandas()'
        )

    def load_with_results(self) -> str:
        """The same as one of the tables that `hf_grok.runs.results` reads."""
        return (
            "from huggingface_hub import hf_hub_download\n"
            "from hf_grok.runs.results import load_results\n\n"
            f'path = hf_hub_download("{self.repo_id}", "{self.file}", repo_type="dataset")\n'
            "table = load_results(path)"
        )

    def front_matter(self) -> str:
        """The YAML that the Hub and `load_dataset` read."""
        data = DatasetCardData(
            pretty_name=f"Results of the sweep {self.sweep}",
            size_categories=size_category(self.rows),
            tags=[RESULTS_TAG, "training-dynamics", "syntax"],
            configs=[{"config_name": "default", "data_files": self.file}],
        )
        return data.to_yaml(line_break="\n").rstrip("\n")

    def render(self) -> str:
        """The whole README, front matter included; the same for the same card."""
        template = environment().get_template("results_card.md.jinja")
        return tidy(template.render(card=scrubbed(self), begins=BEGINS, ends=ENDS))
