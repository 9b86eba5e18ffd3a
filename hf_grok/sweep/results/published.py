"""A sweep's results as a data set of the Hub: the table, what was run, and a card; one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from huggingface_hub import CommitOperationAdd, HfApi

from hf_grok.errors import UserError
from hf_grok.metrics import TRAINING, Metric, find_metric
from hf_grok.model_cards import merge, validate
from hf_grok.model_cards.preserved import split_readme
from hf_grok.model_cards.results_card import RESULTS_TAG, ArmFacts, ResultsCard
from hf_grok.model_cards.validation import check_repository
from hf_grok.runs.folder import DECLARED_FILE
from hf_grok.runs.probe_files import read_declared
from hf_grok.runs.results import load_results
from hf_grok.runs.sweep_files import RESULTS_TABLE, SWEEP_FILE, read_sweep_file
from hf_grok.series.hub.asking import asking
from hf_grok.series.local.safety import refuse_secrets

README = "README.md"
_KIND = "dataset"
_DATA = (".parquet", ".csv", ".json", ".jsonl", ".arrow", ".tsv", ".txt", ".zip")
_COLUMNS = {
    "sweep": "the sweep",
    "run": "the run, ARM-seedS",
    "arm": "its arm",
    "seed": "its seed",
    "step": "optimiser steps before it was measured or logged",
    "tokens": "tokens read before it; empty where the run does not say",
    "metric": "name of the number, below: eval_* of an evaluation, others of training steps",
    "value": "the number",
    "hf_grok": "version that measured it",
}


@dataclass(frozen=True)
class PushedResults:
    """What stands on the Hub now.

    Attributes:
        repo_id: with its namespace.
        url: of the data set.
        commit: that was made.
        private: whether only its owner sees it.
        card: that it has.
    """

    repo_id: str
    url: str
    commit: str
    private: bool
    card: ResultsCard


def push_results(out: Path, repo_id: str, *, private: bool | None = None) -> PushedResults:
    """Put a sweep's results on the Hub, with the token of the environment or of `hf auth login`.

    Args:
        out: the sweep's folder.
        repo_id: "name" or "user/name"; made if it is not there.
        private: None: private where the repository is made, as it is where it is there.

    Raises:
        UserError: there are no results yet; a name that cannot be; a repository that holds other
            data, or is not as private as was asked; a token in what would be published; no token,
            no right to write, no connection.
    """
    check_repository(repo_id)
    card = results_card(out, repo_id)
    refuse_secrets((out / SWEEP_FILE).read_bytes(), str(out / SWEEP_FILE))
    api = HfApi(library_name="hf-grok")
    with asking(repo_id, "could not be pushed to", api):
        made = api.create_repo(
            repo_id, repo_type=_KIND, private=private is not False, exist_ok=True
        )
        info = api.dataset_info(made.repo_id)
        old = _readme_there(api, made.repo_id, str(info.sha))
        _refuse_another(made.repo_id, info, old, private)
        commit = api.create_commit(
            made.repo_id,
            _files(out, results_card(out, made.repo_id), old),
            commit_message=f"Results of the sweep {card.sweep}",
            repo_type=_KIND,
            parent_commit=info.sha,  # whoever changes the card meanwhile is not overwritten
        )
    return PushedResults(made.repo_id, str(made), commit.oid, bool(info.private), card)


def results_card(out: Path, repo_id: str) -> ResultsCard:
    """What the folder's sweep.json and results.parquet say.

    Raises:
        UserError: one of them is missing or cannot be read.
    """
    content = read_sweep_file(out / SWEEP_FILE)
    table = load_results(out)
    scale, declared = content.get("scale"), _declared(out)
    columns = {
        name: _COLUMNS.get(name, f"the arm's {name}, of the sweep's grid") for name in table.columns
    }
    seeds = table.groupby("arm")["seed"].unique()
    return ResultsCard(
        sweep=content["name"],
        recipe=PurePosixPath(content["recipe"]).name + (f" ({scale})" if scale else ""),
        arms=[
            _arm(name, arm, sorted(map(int, seeds.get(name, []))))
            for name, arm in content["arms"].items()
        ],
        seeds=content["seeds"],
        rows=len(table),
        runs=table["run"].nunique(),
        columns=columns,
        metrics={name: _meaning(name, declared) for name in sorted(table["metric"].unique())},
        versions=content.get("versions", {}),
        file=RESULTS_TABLE,
        repo_id=repo_id,
    )


def _arm(name: str, arm: Mapping[str, Any], seeds: list[int]) -> ArmFacts:
    parent = arm["from"]
    return ArmFacts(
        name, arm["settings"], f"{parent} at step {arm['step']}" if parent else "", seeds
    )


def _declared(out: Path) -> dict[str, Metric]:
    """What probes of other packages say of their numbers, in any run."""
    runs = sorted(path.parent for path in out.glob(f"*/{DECLARED_FILE}"))
    return {name: metric for run in runs for name, metric in read_declared(run).items()}


def _meaning(name: str, declared: Mapping[str, Metric]) -> tuple[str, str]:
    metric = TRAINING.get(name) or find_metric(name, declared)
    return ("(nothing is declared of it)", "") if metric is None else (metric.meaning, metric.unit)


def _readme_there(api: HfApi, name: str, revision: str) -> str | None:
    if not api.file_exists(name, README, repo_type=_KIND, revision=revision):
        return None
    path = api.hf_hub_download(name, README, repo_type=_KIND, revision=revision)
    return Path(path).read_text(encoding="utf-8")


def _refuse_another(name: str, info: Any, old: str | None, private: bool | None) -> None:
    """Refuse a repository of another kind of privacy, or with data that are no sweep's results."""
    if private is not None and private != bool(info.private):
        kinds = {True: "private", False: "public"}
        raise UserError(
            f"{name} is {kinds[bool(info.private)]} and was asked to be {kinds[private]}: change "
            "it on its settings page, or push to another repository. Nothing was pushed."
        )
    tags = (split_readme(old)[0] if old else {}).get("tags") or ()
    ours = {RESULTS_TABLE, SWEEP_FILE} if RESULTS_TAG in tags else set()
    found = [file.rfilename for file in info.siblings or []]
    foreign = [path for path in found if PurePosixPath(path).suffix in _DATA and path not in ours]
    if foreign:
        raise UserError(
            f"{name} holds data that are no results of a sweep ({', '.join(foreign[:3])}): push to "
            "a repository of its own"
        )


def _files(out: Path, card: ResultsCard, old: str | None) -> list[CommitOperationAdd]:
    readme = validate(merge(card.render(), old), _KIND)
    return [
        CommitOperationAdd(README, readme.encode()),
        *(CommitOperationAdd(name, str(out / name)) for name in (RESULTS_TABLE, SWEEP_FILE)),
    ]
