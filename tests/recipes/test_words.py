"""What the command line says of a recipe's values, however it is spelt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hf_grok import train
from hf_grok.errors import UserError
from hf_grok.recipes.arguments import GrokTrainingArguments
from hf_grok.recipes.checks import RANGES, check_settings
from hf_grok.recipes.recipe import Settings, argument_names, load_recipe, own_words, parse
from hf_grok.recipes.unheeded import INSTEAD
from hf_grok.recipes.words import on_the_line
from hf_grok.runs.record import default_of

DYCK = load_recipe("dyck")


@pytest.mark.parametrize(
    "words",
    [
        ["--output-dir", "mine"],
        ["--output_dir", "mine"],
        ["--output-dir=mine"],
        ["--output_dir=mine"],
    ],
)
def test_the_folder_is_the_one_that_is_said(words: list[str]) -> None:
    assert parse(DYCK, words).training.output_dir == "mine"


def test_every_argument_may_be_spelt_with_hyphens() -> None:
    for name in argument_names():
        assert own_words([f"--{name.replace('_', '-')}=1"]) == {name: ("1",)}


@pytest.mark.parametrize("words", [["--learning-rate=1e-5"], ["--learning-rate", "1e-5"]])
def test_spellings_reach_the_arguments(words: list[str]) -> None:
    assert parse(DYCK, words).training.learning_rate == 1e-5
    # A value that argparse alone would take for an option.
    assert parse(DYCK, ["--learning-rate=-1e-5"]).training.learning_rate == -1e-5


@pytest.mark.parametrize(
    "words",
    [
        ["--no_bucketed_batches"],
        ["--no-bucketed-batches"],
        ["--bucketed-batches", "no"],
        ["--bucketed_batches=false"],
    ],
)
def test_what_is_on_can_be_turned_off(words: list[str]) -> None:
    assert parse(DYCK, []).training.bucketed_batches
    assert not parse(DYCK, words).training.bucketed_batches


@pytest.mark.parametrize("spelling", ["--seed", "--seed="])
def test_the_default_folder_has_the_seed_that_is_said(spelling: str) -> None:
    words = ["--seed=3"] if spelling.endswith("=") else [spelling, "3"]
    assert parse(DYCK, words).training.output_dir == "runs/dyck-quick-seed3"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--output-dir", "one", "--output_dir", "two"], "output_dir is given twice"),
        (["--seed", "1", "--seed=1"], "seed is given twice, as '--seed 1' and as '--seed=1'"),
        (["--bucketed_batches", "--no_bucketed_batches"], "bucketed_batches is given twice"),
        (["--output", "x"], "unknown argument --output: .*Did you mean output_dir"),
        (["--max", "3"], "unknown argument --max"),
        (["--no_layers"], "unknown argument --no_layers"),
        (["--no_bucketed_batches=yes"], "turns bucketed_batches off and takes no value"),
        (["stray"], "'stray' is the value of no argument"),
        (["--layers", "2", "3"], "unrecognized|not used|remaining"),
        (["--layers"], "expected one argument"),
    ],
)
def test_what_is_not_clear_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse(DYCK, words)


def test_a_value_is_not_taken_for_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Settings] = []
    monkeypatch.setattr(train, "run", lambda settings, **more: ran.append(settings))
    train.main(["dyck", "--layers=2", "--no_bucketed_batches"])  # a switch at the end
    train.main(["--resume", "dyck", "--output-dir", "nowhere"])  # our own options may come first
    assert [one.model.layers for one in ran] == [2, 4]
    with pytest.raises(UserError, match="'4' is read as the recipe: name RECIPE before --layers"):
        train.main(["--layers", "4", "dyck"])


def test_a_run_that_is_gone_on_with_names_its_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[Settings] = []
    monkeypatch.setattr(train, "run", lambda settings, **more: ran.append(settings))
    checkpoint = tmp_path / "run" / "checkpoint-40"
    checkpoint.mkdir(parents=True)
    record = {"recipe": "sas-mlm", "scale": "laptop", "overrides": {"layers": "3"}}
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    train.main(["--from-checkpoint", str(checkpoint), "--max_steps", "60"])
    train.main(["--resume", "--output_dir", str(tmp_path / "run")])
    train.main(["--from-checkpoint", "40", "--parent", str(tmp_path / "run")])
    assert [(one.recipe.name, one.recipe.scale) for one in ran] == [("sas-mlm", "laptop")] * 3
    assert [one.model.layers for one in ran] == [3] * 3
    assert ran[0].training.max_steps == 60
    with pytest.raises(UserError, match=r"is a run of sas-mlm \(laptop\), .* \(quick\)"):
        train.main(["--resume", "--scale", "quick", "--output_dir", str(tmp_path / "run")])
    for words in (["--max_steps=60"], ["--resume"], ["--from-checkpoint", "40"]):
        with pytest.raises(SystemExit):
            train.main(words)
        assert "name a RECIPE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"recipe": "mine", "scale": "file"}, r"a file of yours, mine\.yaml: name it as RECIPE"),
        ({"recipe": 3}, "does not say of which recipe it is a run"),
        (None, "does not say of which recipe it is a run"),
    ],
)
def test_a_run_that_does_not_say_its_recipe(
    tmp_path: Path, record: dict[str, object] | None, told: str
) -> None:
    if record is not None:
        (tmp_path / "run.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match=told):
        train.main(["--resume", "--output_dir", str(tmp_path)])


@pytest.mark.parametrize("name", INSTEAD)
def test_what_would_be_read_and_not_heeded_is_refused(name: str) -> None:
    default = default_of(GrokTrainingArguments.__dataclass_fields__[name])
    other = str(not default) if isinstance(default, bool) else "7"
    other = "group_by_length" if name == "train_sampling_strategy" else other
    with pytest.raises(UserError, match=f"{name}=.*: recipes do not heed it. Instead, "):
        check_settings(parse(DYCK, [f"--{name}", other]))


def test_their_defaults_do_no_harm() -> None:
    check_settings(parse(DYCK, ["--save_only_model", "false", "--num-train-epochs", "3.0"]))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--tokenizer gpt2", r"tokenizer: only a run on a corpus \(--data\) heeds it"),
        ("--lowercase no", "lowercase: only a run on a corpus"),
        ("--validation_share 0.1", "validation_share: only a run on a corpus"),
        ("--probe_data uas=x.conllu", "probe_data: only a run on a corpus"),
        (
            "--mask_share 0.3",
            r"mask_share: only a masked language model \(vanilla_transf.* is none",
        ),
    ],
)
def test_what_another_kind_of_run_heeds_is_refused(words: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        check_settings(parse(DYCK, words.split()))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--language_config grammar", r"language_config: only a run on a language \(--language\)"),
        ("--validation_data b --validation_seed 3", "validation_seed: only a corpus without --val"),
        ("--tokenizer gpt2 --vocabulary_size 100", "vocabulary_size: only a tokenizer that is tr"),
        ("--tokenizer byte-level-bpe --lowercase no", "lowercase: only a wordpiece tokenizer"),
        ("--tokenizer gpt2", None),  # the recipe's own size and case give way
        ("--mask_share 0.3 --vocabulary_size 100 --lowercase no", None),
    ],
)
def test_what_another_kind_of_corpus_heeds_is_refused(words: str, told: str | None) -> None:
    settings = parse(load_recipe("sas-mlm", "english"), ["--data", "a", *words.split()])
    if told is None:
        check_settings(settings)
        return
    with pytest.raises(UserError, match=told):
        check_settings(settings)


def test_a_recipe_of_the_users_own_is_held_to_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("language: dyck\ntokenizer: gpt2\n")
    with pytest.raises(UserError, match="tokenizer: only a run on a corpus"):
        check_settings(parse(load_recipe(str(tmp_path / "mine.yaml")), []))


@pytest.mark.parametrize("name", RANGES)
def test_numbers_with_which_nothing_can_be_trained_are_refused(name: str) -> None:
    least, greatest, _ = RANGES[name]
    for value in [least - 1, *([1] if greatest < 1 else [])]:
        with pytest.raises(UserError, match=name):
            check_settings(parse(DYCK, [f"--{name}", str(value)]))


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="learning_rate=nan: expected 0 or more"):
        check_settings(parse(DYCK, ["--learning_rate", "nan"]))


def test_a_recipe_without_a_language_is_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("layers: 2\n")
    with pytest.raises(UserError, match="--language"):
        check_settings(parse(load_recipe(str(tmp_path / "mine.yaml")), []))


def test_words_go_out_as_they_came_in() -> None:
    words = {"seed": ("1",), "label_names": ("a", "b"), "sas_schedule": ("0:-0.3",), "bf16": ()}
    assert own_words(on_the_line(words)) == words
