"""`hf-grok data`: what it writes and says, and what it refuses."""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import datasets
import pytest

from hf_grok import cli
from hf_grok.commands.data.command import language_parser, main, read_data_files
from hf_grok.commands.data.config_options import add_config_options, documented_fields
from hf_grok.datasets_scripts import Dyck, QuestionFormation, TenseInflection
from hf_grok.errors import UserError
from hf_grok.languages import OURS, language, name_of

SIZES = (
    *("--train-size", "50", "--validation-size", "5"),
    *("--test-size", "6", "--generalization-size", "7"),
)


@pytest.fixture(autouse=True)
def _no_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


# Minimal pairs have sizes of their own: tests/datasets_scripts/test_minimal_pairs.py.
@pytest.mark.parametrize("name", [name for name, one in OURS.items() if not one.is_pairs])
def test_writes_what_it_says(name: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = tmp_path / "out"
    cache = ["--cache-dir", str(tmp_path / "cache")]
    assert main([name, "--out", str(folder), "--seed", "4", *SIZES, *cache]) == 0
    said = capsys.readouterr().out
    config = language(name).builder_class().DEFAULT_CONFIG_NAME
    for split, size in (("train", 50), ("validation", 5), ("test", 6), ("generalization", 7)):
        path = folder / config / f"{split}-00000-of-00001.parquet"
        rows = datasets.Dataset.from_parquet(str(path), cache_dir=str(tmp_path / "read"))
        assert len(rows) == size
        assert f"{split} {size}" in said
        assert f"{split}: {rows[0]['text'][:40]}" in said
        assert path.relative_to(folder).as_posix() in said
    assert f'datasets.load_dataset("{folder}", "{config}")' in said


def test_config_and_its_changes_reach_the_data(tmp_path: Path) -> None:
    cache = ["--cache-dir", str(tmp_path / "cache")]
    main(["dyck", "--out", str(tmp_path / "d"), "--config", "k6-m4", *SIZES, *cache])
    assert (tmp_path / "d" / "k6-m4" / "test-00000-of-00001.parquet").exists()
    options = ["--brackets", "3", "--max-depth", "5", "--num-proc", "1"]
    main(["dyck", "--out", str(tmp_path / "e"), *options, *SIZES, *cache])
    rows = datasets.load_dataset(str(tmp_path / "e"), cache_dir=str(tmp_path / "read"))
    assert {word for text in rows["train"]["text"] for word in text.split()} <= {
        f"{side}{kind}" for side in "()" for kind in (1, 2, 3)
    }


def test_reads_files(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    source = tmp_path / "lines = odd.tsv"
    source.write_text("my newt doesn't giggle . quest\tdoesn't my newt giggle ?\n")
    cache = ["--cache-dir", str(tmp_path / "cache")]
    files = ["--data-files", f"generalization={source}"]
    main(["question-formation", "--out", str(tmp_path / "out"), *files, *cache])
    assert "generalization: my newt doesn't giggle . quest" in capsys.readouterr().out


def test_data_files_words() -> None:
    assert read_data_files(["train=a", "test=b=c", "train=d"]) == {
        "train": ["a", "d"],
        "test": ["b=c"],
    }
    for wrong in ("a.tsv", "=a.tsv", "train="):
        with pytest.raises(UserError, match="expected SPLIT=FILE"):
            read_data_files([wrong])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dyke"], "unknown language 'dyke': .*question-formation.*Did you mean 'dyck'"),
        (["dyck", "--config", "k1"], "unknown config of Dyck 'k1': .*k20-m10, k6-m4"),
        (["tense-inflection", "--rule", "frist"], "unknown rule 'frist'"),
        (["question-formation", "--data-files", "dev=x"], "unknown split .*'dev': .*validation"),
        (["question-formation", "--data-files", "test=x"], "there is no file 'x'"),
        (["question-formation", "--data-files", "x"], "expected SPLIT=FILE"),
        (["dyck", "--test-size", "-1"], "test_size must be a whole number, 0 or more; got -1"),
        (["dyck", "--num-proc", "0"], "--num-proc must be at least 1, got 0"),
        (["dyck", "--brackets", "1", "--max-depth", "1"], "has 254 distinct strings"),
    ],
)
def test_mistakes_are_one_message(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "out"
    cache = ["--cache-dir", str(tmp_path / "cache")]
    with pytest.raises(UserError, match=message):
        main([*words, "--out", str(out), *cache])
    assert cli.main(["data", *words, "--out", str(out), *cache]) == 2
    assert capsys.readouterr().err.startswith("hf-grok data: ")
    assert not out.exists()


@pytest.mark.parametrize("words", [[], ["dyck"], ["dyck", "--out", "x", "--brakets", "2"]])
def test_wrong_options_are_usage_errors(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = ["--cache-dir", str(tmp_path / "cache")]
    with pytest.raises(UserError, match=r"could not write the data set: .*file"):
        main(["dyck", "--out", str(tmp_path / "file" / "out"), *SIZES, *cache])


@pytest.mark.parametrize("builder_class", [Dyck, QuestionFormation, TenseInflection])
def test_help_lists_every_field_and_config(builder_class: type) -> None:
    name = name_of(builder_class)
    text = language_parser(name, builder_class).format_help()
    common = {field.name for field in dataclasses.fields(datasets.BuilderConfig)}
    for field in dataclasses.fields(builder_class.BUILDER_CONFIG_CLASS):
        if field.name not in common:
            assert re.search(rf"^  --{field.name.replace('_', '-')}[ ,]", text, re.MULTILINE)
    assert "--data-dir" not in text
    for config in builder_class.BUILDER_CONFIGS:
        assert f"  {config.name}  " in text
    assert ("--data-files" in text) == (builder_class is not Dyck)


def test_help_of_the_command_shows_examples(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert "hf-grok data tense-inflection --out" in said
    assert all(name in said for name in OURS)


@dataclasses.dataclass
class Base:
    """What every one has.

    Args:
        size: how many,
            100 % of them.
    """

    size: int = 3


@dataclasses.dataclass
class Derived(Base):
    """What this one adds.

    Attributes:
        rate: of something.
        loud: whether it is heard.

    Raises:
        size: nothing.
    """

    rate: float = 0.5
    loud: bool = False
    size: int = 4


def test_options_come_from_the_dataclass() -> None:
    assert documented_fields(Derived) == {
        "size": "how many, 100 % of them.",
        "rate": "of something.",
        "loud": "whether it is heard.",
    }
    parser = argparse.ArgumentParser()
    add_config_options(parser, Derived, dataclasses.fields(Derived), Derived())
    assert vars(parser.parse_args([])) == {}
    given = parser.parse_args(["--size", "5", "--rate", "2", "--no-loud"])
    assert vars(given) == {"size": 5, "rate": 2.0, "loud": False}
    text = " ".join(parser.format_help().split())
    assert "What every one has: --size N how many, 100 % of them. (default: 4)" in text
    assert "What this one adds: --rate X" in text


def test_a_field_of_another_type_is_the_developers_mistake() -> None:
    odd = dataclasses.make_dataclass("Odd", [("parts", list[int], dataclasses.field())])
    with pytest.raises(TypeError, match="config field parts"):
        add_config_options(argparse.ArgumentParser(), odd, dataclasses.fields(odd), odd([1]))
