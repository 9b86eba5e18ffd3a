"""Which checkpoint is believed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from transformers import trainer_jit_checkpoint

from hf_grok.runs.folder import MANIFEST_FILE
from hf_grok.runs.manifest import (
    INCOMPLETE_FILE,
    file_facts,
    files_to_json,
    flaw,
    last_whole_checkpoint,
    write_manifest,
)


def make(run: Path, step: int) -> Path:
    folder = run / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights of %d" % step)
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    write_manifest(folder)
    return folder


def test_the_last_whole_checkpoint_is_found_by_number(tmp_path: Path) -> None:
    folders = [make(tmp_path, step) for step in (100, 900, 1000)]
    (tmp_path / "checkpoint-old").mkdir()
    assert last_whole_checkpoint(tmp_path, pytest.fail) == folders[-1]


def cut_short(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"wei")


def one_bit_off(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(bytes([content[0] ^ 1]) + content[1:])


def file_gone(folder: Path) -> None:
    (folder / "trainer_state.json").unlink()


def no_manifest(folder: Path) -> None:
    (folder / MANIFEST_FILE).unlink()


def manifest_cut_short(folder: Path) -> None:
    (folder / MANIFEST_FILE).write_text('{"step": 3, "fil')


def names_a_file_elsewhere(folder: Path) -> None:
    outside = folder.parent / "outside.safetensors"
    outside.write_bytes(b"of another")
    facts = files_to_json({"../outside.safetensors": file_facts(outside)})
    (folder / MANIFEST_FILE).write_text(json.dumps({"step": 20, "files": facts}))


def incomplete(folder: Path) -> None:
    """As transformers leaves it where it was killed while it saved on its way out."""
    (folder / "checkpoint-is-incomplete.txt").write_text("Checkpoint started at step 20")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut_short, "model.safetensors has 3 bytes, 13 were written"),
        (one_bit_off, "sha256 differs"),
        (file_gone, "trainer_state.json is missing"),
        (no_manifest, "its writing was cut short"),
        (manifest_cut_short, "cannot be read"),
        (names_a_file_elsewhere, "expected a relative path without .."),
        (incomplete, "transformers did not end writing it"),
    ],
)
def test_a_damaged_checkpoint_is_passed_over_aloud(tmp_path: Path, damage, said: str) -> None:
    good = make(tmp_path, 10)
    damage(make(tmp_path, 20))
    assert said in str(flaw(tmp_path / "checkpoint-20"))
    lines: list[str] = []
    assert last_whole_checkpoint(tmp_path, lines.append) == good
    assert len(lines) == 1
    assert "checkpoint-20" in lines[0]


def test_a_run_without_checkpoints_has_none(tmp_path: Path) -> None:
    assert last_whole_checkpoint(tmp_path, pytest.fail) is None


def of_another_trainer(run: Path, step: int) -> Path:
    folder = make(run, step)
    no_manifest(folder)
    return folder


def test_another_trainers_checkpoint_is_whole_once_its_state_is(tmp_path: Path) -> None:
    folder = of_another_trainer(tmp_path, 20)
    assert flaw(folder) == "it has no manifest: its writing was cut short"
    assert flaw(folder, any_trainer=True) is None
    (folder / "trainer_state.json").write_text('{"global_st')
    assert "no whole trainer_state.json" in str(flaw(folder, any_trainer=True))


def test_another_trainers_checkpoint_is_not_whole_while_transformers_says_so(
    tmp_path: Path,
) -> None:
    folder = of_another_trainer(tmp_path, 20)
    incomplete(folder)
    assert "did not end writing it" in str(flaw(folder, any_trainer=True))


def test_transformers_calls_its_sentinel_so() -> None:
    """The name is transformers' own, in its source: a version that changes it is seen here."""
    assert INCOMPLETE_FILE in Path(trainer_jit_checkpoint.__file__).read_text(encoding="utf-8")


def test_a_manifest_lists_what_an_earlier_version_wrote_with_the_same_bytes(tmp_path: Path) -> None:
    folder = make(tmp_path, 3)
    state = b'{"global_step": 3}'
    entries = {
        "model.safetensors": {"bytes": 12, "sha256": hashlib.sha256(b"weights of 3").hexdigest()},
        "trainer_state.json": {"bytes": 18, "sha256": hashlib.sha256(state).hexdigest()},
    }
    written = (folder / MANIFEST_FILE).read_text()
    assert written == json.dumps({"step": 3, "files": entries}, indent=1)
