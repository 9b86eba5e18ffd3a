from __future__ import annotations

import pytest
from huggingface_hub import ModelCard

from tests.hub_server import HubServer

REPO = "grower/series"
GOOD = """---
license: mit
tags: [syntax]
model-index:
- name: series
  results:
  - task: {type: text-generation}
    dataset: {type: question-formation, name: Question formation}
    metrics: [{type: accuracy, value: 0.5}]
---
# A card
"""


def test_a_good_card_is_pushed(hub_server: HubServer) -> None:
    hub_server.client().create_repo(REPO)
    card = ModelCard(GOOD)
    card.validate()
    card.push_to_hub(REPO)
    assert ModelCard.load(REPO).content == str(card)
    assert hub_server.log.statuses("validate_yaml") == [200, 200, 200]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("license: MIT", '"license" must be an SPDX identifier'),
        ("tags: [1, 2]", '"tags" must be a string or a list of strings'),
        ("tags: [", "The metadata is no YAML"),
        ("- a", "The metadata must be a mapping"),
        ("model-index: [{results: []}]", '"model-index[0].name" is required'),
        ("model-index: [{name: a, results: [{}]}]", '"model-index[0].results[0].task" is required'),
    ],
)
def test_a_bad_card_is_refused(hub_server: HubServer, line: str, message: str) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    with pytest.raises(ValueError, match="Invalid metadata in README") as raised:
        client.upload_file(
            path_or_fileobj=f"---\n{line}\n---\n".encode(), path_in_repo="README.md", repo_id=REPO
        )
    assert message in str(raised.value)
    assert hub_server.files(REPO) == {}
