"""The arrows between rooms (the table in CONTRIBUTING.md), and what loads with an import."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = ("callbacks", "datasets_scripts", "model_cards")

# Modules that belong to no room: they know nothing of grammars, models or runs.
COMMON = {
    *("errors", "text", "version"),
    *("_cores", "_isolated", "_lazy", "_moved", "_option_parser", "_optional"),
}

# room -> the modules of hf_grok, beside COMMON, that it may import. From the ground up.
ARROWS: dict[str, set[str]] = {
    "metrics": {"packages"},
    "measurement": set(),
    "annotation": set(),
    "sources": {"annotation"},
    "models": {"measurement"},
    "attention": {"annotation", "measurement", "models"},
    "datasets_scripts": {"annotation"},
    "runs": {"metrics"},
    "model_cards": {"metrics", "runs"},
    "probes": {
        *("annotation", "attention", "datasets_scripts", "languages", "masking", "measurement"),
        *("metrics", "models", "packages"),
    },
    "evaluate_metrics": {"annotation", "datasets_scripts", "measurement", "models", "probes"},
    "sas": {"annotation", "attention", "masking", "measurement", "metrics", "runs"},
    "dynamics": {"metrics", "runs"},
    "report": {"dynamics", "metrics", "runs"},
    "explorer": {"dynamics", "metrics", "report", "runs"},
    "series": {"languages", "metrics", "model_cards", "runs"},
    "evaluation": {
        *("annotation", "datasets_scripts", "languages", "measurement", "models", "probes"),
        *("runs", "series", "sources"),
    },
    "callbacks": {
        *("evaluation", "measurement", "metrics", "models", "probes", "report", "runs", "series"),
    },
    "recipes": {
        *("annotation", "attention", "callbacks", "datasets_scripts", "evaluation", "languages"),
        *(
            "masking",
            "measurement",
            "metrics",
            "models",
            "packages",
            "probes",
            "runs",
            "sas",
            "sources",
        ),
    },
    "sweep": {"metrics", "model_cards", "packages", "recipes", "runs", "series"},
}

# A builder knows no card, but writing a folder for strangers does.
EXCEPTIONS = {
    ("datasets_scripts/export/parquet.py", "languages"),
    ("datasets_scripts/export/parquet.py", "model_cards"),
    ("datasets_scripts/export/parquet.py", "packages"),
    ("datasets_scripts/export/folder.py", "model_cards"),
    ("datasets_scripts/export/push.py", "model_cards"),
    ("datasets_scripts/builder/task_sentences.py", "model_cards"),
}

# room -> packages of others that it must not import anywhere, not even inside a function.
FOREIGN: dict[str, set[str]] = {
    "datasets_scripts": {"torch", "transformers", "accelerate", "pandas", "matplotlib"},
    "models": {"datasets", "accelerate", "pandas", "matplotlib", "evaluate"},
    "annotation": {"datasets", "accelerate", "pandas", "matplotlib", "evaluate"},
    "attention": {"datasets", "accelerate", "pandas", "matplotlib", "evaluate"},
    "measurement": {"transformers", "datasets", "pandas", "matplotlib", "evaluate"},
    "text": {"torch", "transformers", "datasets", "numpy", "pandas", "matplotlib"},
    "probes": {"datasets", "accelerate", "pandas", "matplotlib", "evaluate"},
    "evaluate_metrics": {"accelerate", "pandas", "matplotlib"},
    "metrics": {"torch", "transformers", "datasets", "numpy", "pandas", "matplotlib"},
    "runs": {"torch", "transformers", "datasets", "accelerate", "matplotlib"},
    "dynamics": {"torch", "transformers", "datasets", "matplotlib"},
    "report": {"torch", "transformers", "datasets"},
    "explorer": {"torch", "transformers", "datasets", "matplotlib"},
    "sas": {"datasets", "accelerate", "pandas", "matplotlib", "evaluate"},
    "series": {"torch", "transformers", "datasets", "pandas", "matplotlib"},
    "callbacks": {"datasets", "evaluate", "pandas", "matplotlib"},
    "model_cards": {"torch", "transformers", "datasets", "pandas", "matplotlib"},
}


def files_of(room: str) -> list[Path]:
    folder = ROOT / room if room in TOP_LEVEL else ROOT / "hf_grok" / room
    return sorted(folder.rglob("*.py"))


def imports_of(file: Path) -> Iterator[str]:
    """Dotted names of everything a file imports, inside functions too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def run(code: str) -> str:
    """What `code` prints in an interpreter of its own."""
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.parametrize("room", ARROWS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    allowed = ARROWS[room] | COMMON | {room}
    wrong = []
    for file in files_of(room):
        where = file.relative_to(ROOT).as_posix()
        for name in imports_of(file):
            package, _, rest = name.partition(".")
            neighbour = rest.partition(".")[0]
            if package == "hf_grok" and neighbour not in allowed:
                wrong.append((where, neighbour))
    assert set(wrong) - EXCEPTIONS == set()


@pytest.mark.parametrize("room", FOREIGN)
def test_a_room_leaves_alone_the_packages_it_is_not_about(room: str) -> None:
    wrong = [
        (file.relative_to(ROOT).as_posix(), name)
        for file in files_of(room)
        for name in imports_of(file)
        if name.partition(".")[0] in FOREIGN[room]
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ARROWS)
def test_every_arrow_is_needed(room: str) -> None:
    used = {
        name.split(".")[1]
        for file in files_of(room)
        for name in imports_of(file)
        if name.startswith("hf_grok.")
    }
    assert ARROWS[room] - used == set()


def test_no_two_rooms_import_each_other() -> None:
    both = [(a, b) for a in ARROWS for b in ARROWS[a] if a in ARROWS.get(b, set())]
    assert both == []


def test_every_exception_is_still_needed() -> None:
    for where, neighbour in EXCEPTIONS:
        names = imports_of(ROOT / where)
        assert any(name.startswith(f"hf_grok.{neighbour}") for name in names), (where, neighbour)


def test_the_scan_finds_imports_inside_functions(tmp_path: Path) -> None:
    file = tmp_path / "room.py"
    file.write_text("def late():\n    from hf_grok.recipes import recipe\n    import torch.nn\n")
    assert list(imports_of(file)) == ["hf_grok.recipes.recipe", "torch.nn"]


def test_the_package_and_the_grammars_load_no_torch() -> None:
    code = """
import sys
import hf_grok
assert not {"torch", "transformers", "datasets", "numpy"} & set(sys.modules), "hf_grok"
import hf_grok.datasets_scripts
assert not {"torch", "transformers", "datasets"} & set(sys.modules), "datasets_scripts"
from hf_grok.datasets_scripts import Dyck, QuestionFormation, TenseInflection
import hf_grok.datasets_scripts.export.parquet
assert not {"torch", "transformers"} & set(sys.modules), "the builders"
import hf_grok.dynamics, hf_grok.report, hf_grok.model_cards
assert not {"torch", "transformers", "matplotlib"} & set(sys.modules), "reports and cards"
print("none")
"""
    assert run(code).strip() == "none"


def test_training_machines_may_lack_datasets_pandas_matplotlib_and_evaluate() -> None:
    code = """
import sys
absent = ["datasets", "evaluate", "pandas", "matplotlib"]
sys.modules.update(dict.fromkeys(absent))  # None: importing it raises ModuleNotFoundError
import hf_grok, hf_grok.callbacks, hf_grok.models, hf_grok.probes.tasks, hf_grok.probes
import hf_grok.evaluate_metrics, hf_grok.sas, hf_grok.series
from hf_grok.callbacks import LogSpacedCallback
assert all(sys.modules[name] is None for name in absent)
print("imported")
"""
    assert run(code).strip() == "imported"


def test_every_public_name_of_a_room_is_there() -> None:
    code = """
import importlib
for room in ("callbacks", "datasets_scripts", "dynamics", "dynamics.onsets", "dynamics.when",
             "evaluate_metrics", "evaluation", "metrics", "model_cards", "models", "probes",
             "probes.tasks", "probes.uas", "report", "sas", "series"):
    module = importlib.import_module("hf_grok." + room)
    for name in module.__all__:
        getattr(module, name)
    assert set(module.__all__) <= set(dir(module)), room
print("there")
"""
    assert run(code).strip() == "there"
