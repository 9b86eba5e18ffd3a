"""The demo, on a recipe that takes a second."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hf_grok.commands import demo
from hf_grok.errors import UserError
from hf_grok.recipes import build
from tests.recipes.tiny import recipe_file


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr("hf_grok.explorer.page.library", str)  # which takes seconds to make
    monkeypatch.setattr("hf_grok.explorer.write.library", str)
    monkeypatch.setattr(demo, "RECIPE", recipe_file(tmp_path))
    return ["--out", str(tmp_path / "demo"), "--steps", "12"]


def test_it_ends_a_while_after_generalising(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "GENERALIZED", 0.0)  # reached at step 0
    monkeypatch.setattr(demo, "STEPS_AFTER", 3)
    assert demo.main(arguments) == 0
    info = json.loads((tmp_path / "demo" / "run.json").read_text())
    assert info["steps"] == 4  # the first evaluation three steps or more after
    assert info["arguments"]["stop_after"] == 3


def status(out: Path) -> str:
    return json.loads((out / "run.json").read_text())["status"]


def test_trains_and_reports_once(
    tmp_path: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "demo"
    assert demo.main(arguments) == 0
    assert status(out) == "finished"
    page, explorer = out / "report" / "report.html", out / "report" / "explore.html"
    said = capsys.readouterr().out
    assert f"open {page} in a browser" in said
    assert f"open {explorer} to ask the run" in said
    assert 'href="explore.html"' in page.read_text()
    assert 'href="report.html"' in explorer.read_text()
    weights = (out / "model.safetensors").read_bytes()
    page.unlink()
    monkeypatch.setattr(demo, "find_spec", lambda _: None)
    assert demo.main(arguments) == 0
    said = capsys.readouterr().out
    assert "finished already" in said
    assert f"then hf-grok explore {out}" in said
    assert page.is_file()
    assert (out / "model.safetensors").read_bytes() == weights
    with pytest.raises(UserError, match=f"holds a demo with seed {demo.SEED}, not {demo.SEED + 1}"):
        demo.main([*arguments, "--seed", str(demo.SEED + 1)])


def test_an_interrupted_demo_goes_on(
    tmp_path: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from hf_grok.recipes.trainer.trainer import GrokTrainer

    ordinary = GrokTrainer.training_step

    def interrupted(self: GrokTrainer, *given: object) -> object:
        if self.state.global_step == 11:
            raise KeyboardInterrupt
        return ordinary(self, *given)

    monkeypatch.setattr(GrokTrainer, "training_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        demo.main(arguments)
    assert status(tmp_path / "demo") == "failed"
    monkeypatch.setattr(GrokTrainer, "training_step", ordinary)
    assert demo.main(arguments) == 0
    assert "resuming from" in capsys.readouterr().err
    assert status(tmp_path / "demo") == "finished"
