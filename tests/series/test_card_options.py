"""What the owner says for the cards: checked, kept, and on `main`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from hf_grok.errors import UserError
from hf_grok.series import SeriesError
from hf_grok.series.card.options import (
    OPTIONS_FILE,
    CardOptions,
    keep_options,
    picture_files,
    read_options,
)
from hf_grok.series.verify.hub import verify_hub
from tests.hub_server import HubServer
from tests.series.material import REPO, pusher_of, staged


def picture(folder: Path, name: str = "accuracy_by-step.png", content: bytes = b"\x89PNG") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def test_what_was_said_is_kept_and_added_to(tmp_path: Path) -> None:
    assert read_options(tmp_path) == read_options(None) == CardOptions()
    keep_options(tmp_path)
    assert not (tmp_path / OPTIONS_FILE).exists()
    keep_options(tmp_path, licence="mit", dataset="me/dyck")
    shown = picture(tmp_path / "plots")
    keep_options(tmp_path, [shown], licence=None, base_model="me/base", eval_results=False)
    shown.unlink()
    expected = CardOptions("mit", "me/dyck", "me/base", False, ("accuracy_by-step.png",))
    assert read_options(tmp_path) == expected
    assert picture_files(tmp_path) == {"figures/accuracy_by-step.png": b"\x89PNG"}
    assert [figure.caption for figure in expected.pictures()] == ["Accuracy by step"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"licence": "MIT License"}, "one that the Hub knows"),
        ({"dataset": "a/b/c"}, "a/b/c"),
        ({"base_model": "a b"}, "a b"),
        ({"eval_results": True}, "--dataset"),
        ({"pictures": [Path("run.html")]}, "expected a picture"),
        ({"pictures": [Path("none.png")]}, "is not there"),
    ],
)
def test_what_cannot_be_said(tmp_path: Path, said: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        keep_options(tmp_path, **said)
    assert not (tmp_path / OPTIONS_FILE).exists()


@pytest.mark.parametrize("text", ["[", "[1]", '{"colour": "red"}', '{"licence": "none such"}'])
def test_a_file_of_something_else_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "series").mkdir()
    (tmp_path / OPTIONS_FILE).write_text(text)
    with pytest.raises(SeriesError, match=r"card\.json"):
        read_options(tmp_path)


def test_pictures_that_went_or_lead_elsewhere(tmp_path: Path) -> None:
    keep_options(tmp_path, [picture(tmp_path / "plots")])
    (tmp_path / "series" / "figures" / "accuracy_by-step.png").unlink()
    with pytest.raises(SeriesError, match="is gone"):
        picture_files(tmp_path)
    (tmp_path / OPTIONS_FILE).write_text(json.dumps({"figures": ["../../secret.png"]}))
    with pytest.raises(SeriesError, match=r"without \.\."):
        picture_files(tmp_path)


def test_all_of_it_is_on_main(tmp_path: Path, hub_server: HubServer) -> None:
    said = {"licence": "mit", "dataset": "me/dyck", "base_model": "me/base", "eval_results": True}
    keep_options(tmp_path, [picture(tmp_path / "plots")], **said)
    assert pusher_of(staged(tmp_path, [0, 2])).push_waiting().complete
    files = hub_server.files(REPO)
    card = files["README.md"].decode()
    metadata = yaml.safe_load(card.split("---\n")[1])
    assert (metadata["license"], metadata["datasets"]) == ("mit", ["me/dyck"])
    assert metadata["base_model"] == "me/base"
    assert "![Accuracy by step](figures/accuracy_by-step.png)" in card
    assert files["figures/accuracy_by-step.png"] == b"\x89PNG"
    (result,) = yaml.safe_load(files[".eval_results/dyck.yaml"])
    assert result["dataset"]["id"] == "me/dyck"
    assert result["value"] == 1.0
    step = hub_server.files(REPO, "step0")
    assert "license: mit" in step["README.md"].decode()
    assert not [name for name in step if name.startswith(("figures", ".eval"))]
    assert verify_hub(REPO, quiet=True).problems == ()
