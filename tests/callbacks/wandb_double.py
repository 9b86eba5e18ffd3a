"""The parts of wandb that are called here, as of wandb 0.31.0; it keeps what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any


@dataclass
class Run:
    """wandb.Run."""

    id: str
    name: str | None
    project: str | None
    rows: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    def _label(self, code: str | None = None) -> None:
        """Called by transformers."""


class Config(dict[str, Any]):
    """wandb.Config."""

    def update(self, d: Mapping[str, Any], allow_val_change: bool | None = None) -> None:
        super().update(d)


@dataclass
class Table:
    """wandb.Table."""

    columns: list[str]
    data: list[list[Any]]


@dataclass
class Image:
    """wandb.Image."""

    data_or_path: Any
    caption: str | None = None


class Wandb(ModuleType):
    """The module; `runs` are what a server would have."""

    Table, Image = Table, Image

    def __init__(self) -> None:
        super().__init__("wandb")
        self.run: Run | None = None
        self.runs: dict[str, Run] = {}
        self.config = Config()

    def init(
        self,
        project: str | None = None,
        name: str | None = None,
        id: str | None = None,
        resume: str | None = None,
    ) -> Run:
        known = self.runs.get(id or "") if resume == "allow" else None
        self.run = known or Run(id or f"id{len(self.runs)}", name, project)
        self.runs[self.run.id] = self.run
        return self.run

    def define_metric(
        self, name: str, step_metric: str | None = None, step_sync: bool | None = None
    ) -> None:
        """No axis here."""

    def log(self, data: dict[str, Any]) -> None:
        assert self.run is not None
        self.run.rows.append(data)
        self.run.summary.update(data)

    def finish(self) -> None:
        self.run = None
