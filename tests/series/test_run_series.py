"""Journal and staging of one run: nothing of another step, nothing that can run code."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from hf_grok.errors import UserError
from hf_grok.series import Manifest, RefusedStepError, SeriesError, State, StepValues, run_series
from hf_grok.series.local import staging
from tests.series.material import save_checkpoint, series_of, staged, tiny_model, weights_of

FACTS = StepValues(lambda_=0.1, tokens_seen=640, data_position=80, metrics={"eval_loss": 2.5})


def files_of(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_is_set_aside_and_what_is_said(tmp_path: Path) -> None:
    series = series_of(tmp_path)
    record = series.add(2, save_checkpoint(tmp_path, 2), FACTS)
    folder = series.folder / "staged" / "step2"
    assert files_of(folder) == {
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "series.json",
    }
    manifest = Manifest.from_json((folder / "series.json").read_text(), "there")
    assert manifest == record.manifest()
    assert (manifest.step, manifest.revision, manifest.lambda_) == (2, "step2", 0.1)
    assert (manifest.tokens_seen, manifest.data_position) == (640, 80)
    assert set(manifest.files) == files_of(folder) - {"README.md", "series.json"}
    assert staging.staged_flaws(series.folder, manifest) == []


def test_the_optimiser_goes_along_when_asked(tmp_path: Path) -> None:
    series = series_of(tmp_path, optimizer=True)
    record = series.add(2, save_checkpoint(tmp_path, 2), FACTS)
    assert "optimizer.pt" in record.files
    assert "training_args.bin" not in record.files


def test_later_saves_and_rotation_do_not_touch_it(tmp_path: Path) -> None:
    series = series_of(tmp_path)
    checkpoint = save_checkpoint(tmp_path, 2)
    series.add(2, checkpoint, FACTS)
    before = weights_of(tmp_path, 2)
    path = series.folder / "staged" / "step2" / "model.safetensors"
    tiny_model(99).save_pretrained(checkpoint)  # a resumed run writes into the same folder
    assert path.read_bytes() == before
    save_file({"x": load_file(path)["transformer.wpe.weight"]}, checkpoint / "model.safetensors")
    assert path.read_bytes() == before
    shutil.rmtree(checkpoint)
    assert path.read_bytes() == before


def test_without_hard_links_it_is_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(staging.os, "link", none)
    series = series_of(tmp_path)
    series.add(2, save_checkpoint(tmp_path, 2), FACTS)
    path = series.folder / "staged" / "step2" / "model.safetensors"
    assert path.stat().st_nlink == 1
    assert path.read_bytes() == weights_of(tmp_path, 2)


def test_the_journal_is_written_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class PowerCutError(BaseException):
        pass

    def cut(*_: object) -> None:
        raise PowerCutError

    monkeypatch.setattr(staging, "gather", cut)
    series = series_of(tmp_path)
    with pytest.raises(PowerCutError):
        series.add(2, save_checkpoint(tmp_path, 2), FACTS)
    record = series.journal.get(2)
    assert record is not None
    assert (record.state, record.tokens_seen) == (State.SAVED, 640)


def test_twins_are_refused_with_both_names(tmp_path: Path) -> None:
    series = staged(tmp_path, [1, 2])
    with pytest.raises(RefusedStepError, match="step5 has the same weights as step1"):
        series.add(5, save_checkpoint(tmp_path, 5, seed=1), FACTS)
    record = series.journal.get(5)
    assert record is not None
    assert record.state is State.REFUSED
    assert not (series.folder / "staged" / "step5").exists()
    assert files_of(series.folder / "staged") == {"step1", "step2"}


def test_the_same_step_again_changes_nothing(tmp_path: Path) -> None:
    series = staged(tmp_path, [1])
    before = series.journal.path.read_bytes()
    series.add(1, tmp_path / "checkpoint-1", FACTS)
    assert series.journal.path.read_bytes() == before


def test_the_same_step_with_other_weights_is_refused(tmp_path: Path) -> None:
    series = staged(tmp_path, [1])
    earlier = series.journal.get(1)
    with pytest.raises(RefusedStepError, match="two runs are being mixed"):
        series.add(1, save_checkpoint(tmp_path, 1, seed=9), FACTS)
    assert series.journal.get(1) == earlier


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("pytorch_model.bin", b"x", "can run code"),
        ("model.safetensors", b"\x10\0\0\0\0\0\0\0{}", "is not whole"),
        ("model.safetensors", None, "holds no weights"),
        ("config.json", None, "holds no config.json"),
        ("model.safetensors.index.json", b'{"weight_map": {"a": "b.safetensors"}}', "not there"),
        ("model.safetensors.index.json", b'{"weight_map": {"a": "../b"}}', "file name"),
    ],
)
def test_checkpoints_that_are_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    checkpoint = save_checkpoint(tmp_path, 3)
    if content is None:
        (checkpoint / name).unlink()
    else:
        (checkpoint / name).write_bytes(content)
    with pytest.raises(SeriesError, match=message):
        series_of(tmp_path).add(3, checkpoint, FACTS)


def test_a_full_disk_takes_no_space_and_is_caught_up_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    series = series_of(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(staging, "link_or_copy", full)
        with pytest.raises(SeriesError, match=r"No space left.*is pushed later"):
            series.add(2, save_checkpoint(tmp_path, 2), FACTS)
    record = series.journal.get(2)
    assert record is not None
    assert record.state is State.SAVED
    assert "No space left" in str(record.reason)
    assert list((series.folder / "staged").iterdir()) == []
    (adopted,) = series.adopt(tmp_path, None, pytest.fail)
    assert (adopted.state, adopted.tokens_seen) == (State.STAGED, 640)


def test_killed_between_staging_and_the_journal(tmp_path: Path) -> None:
    series = staged(tmp_path, [2])
    lines = series.journal.path.read_text().splitlines(keepends=True)
    series.journal.path.write_text(lines[0])  # "saved" alone
    shutil.rmtree(tmp_path / "checkpoint-2")
    again = series_of(tmp_path)
    again.recover()
    record = again.journal.get(2)
    assert record is not None
    assert record.state is State.STAGED
    assert record.weights


def test_checkpoints_are_adopted_when_whole(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        save_checkpoint(tmp_path, step)
    (tmp_path / "checkpoint-2" / "trainer_state.json").write_text('{"cut')
    series, said = series_of(tmp_path), []
    adopted = series.adopt(tmp_path, 3, said.append)
    assert [record.step for record in adopted] == [1, 3]
    assert adopted[0].metrics == {"eval_loss": 0.5}
    assert "checkpoint-2 is passed over" in said[0]


def test_a_manifest_of_the_checkpoint_is_heeded(tmp_path: Path) -> None:
    from hf_grok.runs.manifest import write_manifest

    for step in (1, 2):
        write_manifest(save_checkpoint(tmp_path, step))
    path = tmp_path / "checkpoint-2" / "config.json"
    path.write_text(path.read_text().replace("gpt2", "gpt3"))
    series, said = series_of(tmp_path), []
    assert [r.step for r in series.adopt(tmp_path, None, said.append)] == [1]
    assert "config.json is not what was written" in said[0]


def test_another_template_is_refused(tmp_path: Path) -> None:
    staged(tmp_path, [1])
    with pytest.raises(SeriesError, match="calls step 1 'step1'"):
        series_of(tmp_path, "ckpt-{step}").check()


def test_no_path_of_the_machine_is_published(tmp_path: Path) -> None:
    series = series_of(tmp_path)
    checkpoint = save_checkpoint(tmp_path, 2)
    state = json.loads((checkpoint / "trainer_state.json").read_text())
    state["best_model_checkpoint"] = str(checkpoint)
    (checkpoint / "trainer_state.json").write_text(json.dumps(state))
    series.add(2, checkpoint, FACTS)
    for path in (series.folder / "staged" / "step2").iterdir():
        assert str(tmp_path).encode() not in path.read_bytes(), path.name


def test_checkpoints_in_order_of_steps(tmp_path: Path) -> None:
    for name in ("checkpoint-10", "checkpoint-9", "checkpoint-x", "checkpoint-3.old"):
        (tmp_path / name).mkdir()
    assert list(run_series.checkpoints(tmp_path)) == [9, 10]


def test_names_by_words_that_two_steps_share_or_nobody_knows(tmp_path: Path) -> None:
    words = {2: 10, 4: 1010, 5: 1010, 6: 2020}.__getitem__
    series = series_of(tmp_path, "chck_{words}", seen={"words": lambda step: words(step)})
    with pytest.raises(UserError, match="a step from 1,010 to 1,010 sees nothing"):
        series.add(5, save_checkpoint(tmp_path, 5), FACTS)
    going_back = {0: 0, 1: 0, 2: 100, 3: 0, 4: 100}.__getitem__
    series = series_of(tmp_path, "chck_{words}", seen={"words": going_back})
    series.add(2, save_checkpoint(tmp_path, 2), FACTS)
    with pytest.raises(SeriesError, match=r"calls steps 2 and 4 both 'chck_100'"):
        series.add(4, save_checkpoint(tmp_path, 4), FACTS)
    unknown = series_of(tmp_path, "chck_{words}")
    unknown.check()
    assert unknown.add(2, tmp_path / "checkpoint-2", FACTS).revision == "chck_100"
    with pytest.raises(SeriesError, match="how many step 6 has seen is not known here"):
        unknown.add(6, save_checkpoint(tmp_path, 6), FACTS)
    with pytest.raises(SeriesError, match="calls step 2 'chck_100', and the template"):
        series_of(tmp_path).check()
    with pytest.raises(SeriesError, match="calls step 2 'chck_100', and the template"):
        series_of(tmp_path, "c-{tokens}").check()
