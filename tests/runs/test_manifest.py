"""Which checkpoint is believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hf_grok.runs.manifest import MANIFEST, flaw, last_whole_checkpoint, write_manifest


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
    (folder / MANIFEST).unlink()


def manifest_cut_short(folder: Path) -> None:
    (folder / MANIFEST).write_text('{"step": 3, "fil')


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut_short, "model.safetensors has 3 bytes, 13 were written"),
        (one_bit_off, "sha256 differs"),
        (file_gone, "trainer_state.json is missing"),
        (no_manifest, "its writing was cut short"),
        (manifest_cut_short, "cannot be read"),
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
