"""Exports: loadable by strangers, the same bytes again, nobody's files lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
from huggingface_hub import metadata_load

from hf_grok.datasets_scripts import Dyck, QuestionFormation
from hf_grok.datasets_scripts.export.parquet import Export, changed_fields, describe, export
from hf_grok.errors import UserError

SIZES = {"train_size": 60, "validation_size": 8, "test_size": 8, "generalization_size": 9}
SMALL: dict[str, Any] = {"brackets": 2, "max_depth": 4, "max_length": 30, **SIZES}


@pytest.fixture(autouse=True)
def _no_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def export_dyck(tmp_path: Path, name: str, **options: Any) -> Export:
    processes = options.pop("num_proc", None)
    overwrite = options.pop("overwrite", False)
    builder = Dyck(cache_dir=tmp_path / f"cache {name}", **{**SMALL, **options})
    return export(builder, tmp_path / name, overwrite=overwrite, num_proc=processes)


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


STRANGER = """
import sys
sys.modules["hf_grok"] = None
from datasets import get_dataset_config_names, load_dataset
for folder in sys.argv[1:]:
    config, = get_dataset_config_names(folder)
    for data in (load_dataset(folder), load_dataset(folder, config)):
        print(config, {split: len(rows) for split, rows in data.items()})
        print(data["train"][0])
        print(data["train"].features)
"""


def test_a_stranger_loads_it_offline(tmp_path: Path) -> None:
    dyck = Dyck(cache_dir=tmp_path / "cache", **SMALL)
    questions = QuestionFormation(cache_dir=tmp_path / "cache", **SIZES)
    folders = [export(builder, tmp_path / builder.name).folder for builder in (dyck, questions)]
    environment = {
        **os.environ,
        "HF_DATASETS_OFFLINE": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, *map(str, folders)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = []
    for builder, config in ((dyck, "k2-m4"), (questions, "default")):
        train = builder.as_dataset("train")
        sizes = {"train": 60, "validation": 8, "test": 8, "generalization": 9}
        expected += 2 * [f"{config} {sizes}", str(train[0]), str(train.features)]
    assert done.stdout.splitlines() == expected


def test_same_seed_same_bytes_whatever_the_number_of_processes(tmp_path: Path) -> None:
    first = export_dyck(tmp_path, "one")
    again = export_dyck(tmp_path, "two", num_proc=2)
    assert content(first.folder) == content(again.folder)
    other = export_dyck(tmp_path, "three", seed=1)
    assert content(other.folder).keys() == content(first.folder).keys() == set(first.files)
    train = "k2-m4/train-00000-of-00001.parquet"
    assert content(other.folder)[train] != content(first.folder)[train]


def test_an_earlier_export_is_replaced_whole(tmp_path: Path) -> None:
    export_dyck(tmp_path, "out")
    written = export_dyck(tmp_path, "out", max_depth=3, validation_size=0)
    assert content(tmp_path / "out").keys() == set(written.files)
    assert not (tmp_path / "out" / "k2-m4").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_other_files_are_refused_and_survive_overwrite(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    (folder / "notes.txt").write_text("mine too")
    with pytest.raises(UserError, match=r"README.md, notes.txt.*--overwrite"):
        export_dyck(tmp_path, "out")
    assert content(folder) == {"README.md": b"mine", "notes.txt": b"mine too"}
    export_dyck(tmp_path, "out", overwrite=True)
    assert (folder / "notes.txt").read_text() == "mine too"
    with pytest.raises(UserError, match=r"no export of hf-grok \(notes.txt\)"):
        export_dyck(tmp_path, "out")


@pytest.mark.parametrize("front", ["tags: [hf-grok]", "tags: [hf-grok]\nconfigs: 3", "tags: ["])
def test_a_readme_that_lists_nothing_of_ours_protects_its_neighbours(
    front: str, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "README.md").write_text(f"---\n{front}\n---\n")
    (folder / "train.parquet").write_text("mine")
    with pytest.raises(UserError, match=r"train.parquet"):
        export_dyck(tmp_path, "out")


def test_a_readme_never_leads_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    listed = "configs: [{config_name: a, data_files: [{split: train, path: ../precious}]}]"
    (folder / "README.md").write_text(f"---\ntags: [hf-grok]\n{listed}\n---\n")
    export_dyck(tmp_path, "out")
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    before = content(export_dyck(tmp_path, "out").folder)
    with pytest.raises(UserError, match="leaves 0 strings with a block"):
        export_dyck(tmp_path, "out", max_depth=1)
    assert content(tmp_path / "out") == before
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file: expected a folder"):
        export_dyck(tmp_path, "file")


def test_front_matter_says_what_the_files_hold(tmp_path: Path) -> None:
    written = export_dyck(tmp_path, "out")
    metadata = metadata_load(written.folder / "README.md")
    assert metadata["configs"] == [
        {
            "config_name": "k2-m4",
            "default": True,
            "data_files": [
                {"split": split, "path": f"k2-m4/{split}-00000-of-00001.parquet"}
                for split in ("train", "validation", "test", "generalization")
            ],
        }
    ]
    info = metadata["dataset_info"]
    assert [split["num_examples"] for split in info["splits"]] == [60, 8, 8, 9]
    parquet = [(written.folder / file).stat().st_size for file in written.files[:-1]]
    assert info["download_size"] == sum(parquet)
    assert info["dataset_size"] == sum(split["num_bytes"] for split in info["splits"])


def test_measured_facts_are_those_of_the_rows(tmp_path: Path) -> None:
    builder = QuestionFormation(cache_dir=tmp_path / "cache", **SIZES)
    card = export(builder, tmp_path / "out").card
    rows = builder.as_dataset("train")
    lengths = [len(text.split()) for text in rows["text"][:]]
    facts = card.splits[0]
    assert (facts.name, facts.examples, facts.longest) == ("train", 60, max(lengths))
    assert facts.mean_words == pytest.approx(sum(lengths) / 60)
    quest = sum(row["task"] == 1 for row in rows)
    assert facts.shares["task"] == {"decl": 1 - quest / 60, "quest": pytest.approx(quest / 60)}
    assert sum(facts.shares["subject_modifier"].values()) == pytest.approx(1)
    assert card.splits[3].shares["task"] == {"decl": 0, "quest": 1}


def test_the_command_on_the_card_makes_the_same_bytes(tmp_path: Path) -> None:
    from hf_grok.commands.data.command import main

    first = export_dyck(tmp_path, "one", seed=5)
    words = first.card.command.split()
    assert words[:5] == ["hf-grok", "data", "dyck", "--config", "k20-m10"]
    assert words[-2:] == ["--out", "DIR"]
    main([*words[2:-1], str(tmp_path / "two"), "--cache-dir", str(tmp_path / "other cache")])
    assert content(tmp_path / "two") == content(first.folder)


def test_files_of_others_get_their_own_licence_and_no_generation_arguments(tmp_path: Path) -> None:
    source = tmp_path / "real.tsv"
    line = "my newt doesn't giggle . quest\tdoesn't my newt giggle ?\n"
    source.write_text(line + line.replace("newt", "yak"))
    builder = QuestionFormation(cache_dir=tmp_path / "cache", data_files={"test": str(source)})
    card = export(builder, tmp_path / "out").card
    assert card.sources == {"test": ["real.tsv"]}
    assert set(card.arguments) == {"rule", "skip_bad_lines"}
    assert card.command.endswith("--data-files test=real.tsv --out DIR")
    readme = (tmp_path / "out" / "README.md").read_text()
    assert metadata_load(tmp_path / "out" / "README.md")["license"] == "unknown"
    assert "read from real.tsv" in readme
    assert str(tmp_path) not in readme


def test_changed_fields_are_against_the_named_config(tmp_path: Path) -> None:
    builder = Dyck("k6-m4", cache_dir=tmp_path, seed=2)
    assert changed_fields(builder) == ("k6-m4", {"seed": 2})
    base, changed = changed_fields(Dyck("k6-m4", cache_dir=tmp_path, brackets=3))
    assert base == "k20-m10"
    assert changed["brackets"] == 3
    assert changed["max_depth"] == 4


def test_types_in_words() -> None:
    whole = datasets.Value("int32")
    assert describe(datasets.List(datasets.List(whole))) == "list of list of int32"
    assert describe(datasets.ClassLabel(names=["decl", "quest"])) == "class: decl, quest"
