"""The metrics as the library `evaluate` sees them."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import evaluate
import pytest
import yaml
from evaluate.loading import get_imports

import hf_grok.evaluate_metrics
from hf_grok.datasets_scripts.grammar.english import SUBJECT_MODIFIERS
from hf_grok.errors import UserError
from hf_grok.evaluate_metrics import names, path
from hf_grok.evaluate_metrics.cards import read_card
from hf_grok.model_cards.papers import MCCOY_2020, MURTY_2023
from hf_grok.probes.tasks.dyck import DISTANCES
from tests.evaluate_metrics.material import PAIRS, load

HOME = Path(hf_grok.evaluate_metrics.__file__).parent
DOCS = Path(__file__).parents[2] / "docs" / "evaluate_metrics.md"
BLOCK = re.compile(r"```python\n(>>> .*?)```", flags=re.DOTALL)

OFFLINE = """
import socket, sys
def refuse(*_): raise AssertionError("a socket was opened")
socket.socket.connect = socket.getaddrinfo = refuse
import evaluate
from hf_grok.evaluate_metrics import names, path
from tests.evaluate_metrics.material import PAIRS
for name in names():
    metric = evaluate.load(path(name))
    predictions, references = PAIRS[name]
    print(metric.name, bool(metric.compute(predictions=predictions, references=references)))
"""

WITHOUT = """
import sys
absent = ["evaluate", "datasets", "torch", "transformers", "yaml"]
sys.modules.update(dict.fromkeys(absent))
from hf_grok.evaluate_metrics import names, path
print(path("uas"))
"""


def run(code: str, **environment: str) -> str:
    """What `code` prints in an interpreter of its own."""
    finished = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **environment},
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.slow
def test_every_metric_loads_by_its_path_without_a_network(tmp_path: Path) -> None:
    printed = run(OFFLINE, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1")
    assert printed.splitlines() == [f"{name} True" for name in names()]
    copies = tmp_path / "modules" / "evaluate_modules" / "metrics"
    assert {file.name for file in copies.iterdir() if file.is_dir()} >= set(names())


def test_paths_need_no_library() -> None:
    assert run(WITHOUT).strip() == path("uas")


def test_names_are_the_folders() -> None:
    folders = [file.parent.name for file in HOME.glob("*/README.md")]
    assert names() == sorted(folders)
    with pytest.raises(UserError, match=r"unknown metric 'parse'.* Did you mean 'parseval'\?"):
        path("parse")


@pytest.mark.parametrize("name", names())
def test_a_script_is_all_that_has_to_be_copied(name: str) -> None:
    imports = get_imports(str(HOME / name / f"{name}.py"))
    assert imports
    for kind, package, installed_as, _ in imports:
        assert (kind, package) == ("library", installed_as)
        assert package in {"__future__", "collections", "typing", "datasets", "hf_grok"}


@pytest.mark.parametrize("name", names())
def test_the_class_of_the_script_is_what_is_loaded(name: str) -> None:
    metric = load(name)
    assert type(metric).__module__.endswith(f".{name}")
    assert metric.name == name
    assert metric.description == read_card(name).description
    assert metric.citation.startswith("@")
    assert "`predictions`" in metric.inputs_description


@pytest.mark.parametrize("name", names())
def test_batches_and_single_examples_are_one_pass(name: str) -> None:
    predictions, references = (values * 3 for values in PAIRS[name])
    metric = load(name)
    whole = metric.compute(predictions=predictions, references=references)
    assert all(type(value) is float for value in whole.values())
    for start, stop in ((0, 1), (1, 4)):
        metric.add_batch(predictions=predictions[start:stop], references=references[start:stop])
    for prediction, reference in zip(predictions[4:], references[4:], strict=True):
        metric.add(prediction=prediction, reference=reference)
    assert len(metric) == 6
    assert metric.compute() == whole


@pytest.mark.parametrize("name", names())
def test_what_is_refused_is_not_kept(name: str) -> None:
    predictions, references = PAIRS[name]
    metric = load(name)
    for bad, message in (
        ({"predictions": predictions}, "no references were given"),
        ({"references": references}, "no predictions were given"),
        ({"predictions": predictions, "references": references[:1]}, "2 predictions and 1 ref"),
        ({"predictions": [], "references": []}, "nothing to score"),
        ({"predictions": "does", "references": references}, "predictions is 'does': expected"),
        ({"predictions": predictions, "references": {"heads": [[0]]}}, "references are one dict"),
        ({"predictions": [0.5, 0.5], "references": references}, r"predictions\[0\] is 0.5"),
        ({"predictions": predictions, "references": [0.5, 0.5]}, r"references\[0\] is 0.5"),
        ({"predictions": predictions, "references": 7}, "references are one int"),
    ):
        with pytest.raises(UserError, match=message):
            metric.add_batch(**bad)
    assert len(metric) == 0
    metric.add_batch(predictions=predictions, references=references)
    with pytest.raises(UserError):
        metric.add(prediction=None, reference=references[0])
    assert metric.compute() == load(name).compute(predictions=predictions, references=references)


def test_two_processes_are_one_pass() -> None:
    predictions, references = (values * 3 for values in PAIRS["uas"])
    found: dict[int, dict[str, float] | None] = {}

    def work(rank: int) -> None:
        # Each waits for the other's file to be locked, as processes do.
        metric = evaluate.load(path("uas"), num_process=2, process_id=rank, experiment_id="two")
        metric.add_batch(predictions=predictions[rank::2], references=references[rank::2])
        found[rank] = metric.compute()

    workers = [threading.Thread(target=work, args=(rank,)) for rank in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    whole = load("uas").compute(predictions=predictions, references=references)
    assert found == {0: whole, 1: None}


def test_metrics_combine() -> None:
    both = evaluate.combine([load("parseval"), load("parseval")])
    predictions, references = PAIRS["parseval"]
    numbers = both.compute(predictions=predictions, references=references)
    alone = load("parseval").compute(predictions=predictions, references=references)
    assert numbers["parseval_0_f1"] == numbers["parseval_1_f1"] == alone["f1"]


def examples_of(text: str) -> list[doctest.Example]:
    parser = doctest.DocTestParser()
    return [example for block in BLOCK.findall(text) for example in parser.get_examples(block)]


@pytest.mark.parametrize("card", [*(HOME / name / "README.md" for name in names()), DOCS])
def test_examples_print_what_they_say(card: Path) -> None:
    examples = examples_of(card.read_text(encoding="utf-8"))
    assert any(example.want for example in examples)
    test = doctest.DocTest(examples, {}, str(card), str(card), 0, None)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    output: list[str] = []
    runner.run(test, out=output.append)
    assert not runner.summarize(verbose=False).failed, "".join(output)


@pytest.mark.parametrize("name", names())
def test_cards_have_what_the_hub_reads_and_name_every_number(name: str) -> None:
    text = (HOME / name / "README.md").read_text(encoding="utf-8")
    header = yaml.safe_load(text.split("---\n")[1])
    assert {"title", "tags", "description", "license", "sdk"} <= set(header)
    assert header["tags"] == ["evaluate", "metric"]
    for section in ("Use", "Inputs", "Output", "Example", "Limitations", "Citation"):
        assert f"\n## {section}\n" in text
    predictions, references = PAIRS[name]
    numbers = set(load(name).compute(predictions=predictions, references=references))
    if name in ("question_formation", "tense_inflection"):
        numbers |= {f"accuracy_{modifier}" for modifier in SUBJECT_MODIFIERS}
    if name == "dyck_closing_bracket":
        numbers |= set(DISTANCES)
    output = text.partition("## Output")[2].partition("## Example")[0]
    assert {number for number in numbers if f"`{number}`" not in output} == set()


def test_papers_are_cited_as_elsewhere() -> None:
    for name in ("question_formation", "tense_inflection", "dyck_closing_bracket"):
        assert MURTY_2023.bibtex in read_card(name).citation
        assert (MCCOY_2020.bibtex in read_card(name).citation) == (name != "dyck_closing_bracket")
