"""A hundred random operations against a dictionary that says what should be there."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from tests.hub_server import HubServer

REPO = "grower/series"
PATHS = ["config.json", "model.safetensors", "a/b.txt", "a/c.bin", "d/e/f.txt"]


@dataclass
class Expected:
    """What the repository should hold."""

    branches: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"main": {}})
    tags: dict[str, dict[str, bytes]] = field(default_factory=dict)


def operate(client: HfApi, expected: Expected, chance: random.Random, number: int) -> None:
    branch = chance.choice(sorted(expected.branches))
    files = expected.branches[branch]
    kind = chance.choices(["add", "delete", "branch", "unbranch", "tag"], [6, 2, 2, 1, 1])[0]
    if kind == "add":
        added = {path: chance.randbytes(50) for path in chance.sample(PATHS, 2)}
        operations = [CommitOperationAdd(path, content) for path, content in added.items()]
        client.create_commit(REPO, operations, commit_message=f"{number}", revision=branch)
        expected.branches[branch] = files | added
    elif kind == "delete" and files:
        path = chance.choice(sorted(files))
        operation = CommitOperationDelete(path)
        client.create_commit(REPO, [operation], commit_message=f"{number}", revision=branch)
        expected.branches[branch] = {p: c for p, c in files.items() if p != path}
    elif kind == "branch":
        client.create_branch(REPO, branch=f"step{number}", revision=branch)
        expected.branches[f"step{number}"] = files
    elif kind == "unbranch" and branch != "main":
        client.delete_branch(REPO, branch=branch)
        del expected.branches[branch]
    elif kind == "tag":
        client.create_tag(REPO, tag=f"tag{number}", revision=branch)
        expected.tags[f"tag{number}"] = files


def test_a_hundred_random_operations(hub_server: HubServer) -> None:
    client, expected, chance = hub_server.client(), Expected(), random.Random(1)
    client.create_repo(REPO)
    for number in range(100):
        operate(client, expected, chance, number)
    refs = client.list_repo_refs(REPO)
    assert {ref.name for ref in refs.branches} == set(expected.branches)
    assert {ref.name for ref in refs.tags} == set(expected.tags)
    assert len(expected.branches) > 3 < len(expected.tags)
    for revision, files in (expected.branches | expected.tags).items():
        assert hub_server.files(REPO, revision) == files
    assert hub_server.check() == ""
