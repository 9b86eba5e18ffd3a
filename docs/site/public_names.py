"""Every public name, room by room: what `__all__` of a room says, read without importing it.

The API reference is made of this, and `tests/docs` holds it to the rooms.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = ("callbacks", "datasets_scripts", "model_cards")

# Room -> what one comes to it for, in the order of the reference.
ROOMS = {
    "hf_grok": "The regulariser in a Trainer.",
    "hf_grok.callbacks": "Callbacks for any `transformers.Trainer`.",
    "hf_grok.probes": "What happens inside a model while it learns.",
    "hf_grok.probes.tasks": "What a model does on a language: behaviours and losses, as probes.",
    "hf_grok.datasets_scripts": "Grammars with their gold structure, treebanks and minimal pairs.",
    "hf_grok.models": "The vanilla transformer and the word-level tokenizer.",
    "hf_grok.sas": "Arcs, penalty and schedule of the regulariser.",
    "hf_grok.dynamics": "What curves say: onsets, grokking delay, early stopping; reading a run.",
    "hf_grok.dynamics.when": "Statistics over seeds, of which some never come to generalise.",
    "hf_grok.runs": "The curves of many runs as one table.",
    "hf_grok.evaluation": "Probes on saved models and series of checkpoints.",
    "hf_grok.evaluate_metrics": "The same numbers through the library `evaluate`.",
    "hf_grok.report": "The page and its figures.",
    "hf_grok.explorer": "The page of runs that can be asked.",
    "hf_grok.report.plots": "Every figure, drawn into axes of your own.",
    "hf_grok.series": "Checkpoint series: journal, revisions, verification.",
    "hf_grok.model_cards": "Cards: data classes of facts, and the templates that they fill.",
    "hf_grok.metrics": "What every number is: meaning, unit, range, direction, baseline.",
    "hf_grok.languages": "What a language of another package says of itself.",
    "hf_grok.errors": "The mistake of a user's, told in words.",
}

# Rooms whose names are public under the room around them, and modules of the command line.
PARTS = {
    "hf_grok.commands.data",
    "hf_grok.commands.onsets",
    "hf_grok.commands.probe",
    "hf_grok.dynamics.onsets",
    "hf_grok.probes.uas",
}

# Of modules that have more names than are public.
NAMES = {
    "hf_grok.languages": ["Language", "WITH_STRUCTURE"],
    "hf_grok.errors": ["UserError"],
}

# Classes that explain what names of a room take; no names of it.
CONFIGURATIONS = {
    "hf_grok.datasets_scripts": [
        "builder.task_sentences.SentenceConfig",
        "agreement.AgreementConfig",
        "dyck.DyckConfig",
        "minimal_pairs.MinimalPairsConfig",
    ],
}


def file_of(module: str) -> Path:
    """Where a module or room lies in the source tree."""
    parts = module.split(".")
    if len(parts) > 1 and parts[1] in TOP_LEVEL:
        parts = parts[1:]
    folder = ROOT.joinpath(*parts)
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")


def names_of(module: str) -> list[str]:
    """The public names of a room, sorted; dunders left out.

    Raises:
        ValueError: the module has no `__all__` that is a list of strings.
    """
    names = NAMES.get(module) or declared(file_of(module))
    if names is None:
        raise ValueError(f"{file_of(module)} has no __all__")
    return sorted((name for name in names if name[:2] != "__"), key=str.lower)


def declared(file: Path) -> list[str] | None:
    """`__all__` of a file, read from its text; None where it has none."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(one, ast.Name) and one.id == "__all__" for one in targets):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def rooms_with_names() -> set[str]:
    """Every room of the source tree that says which of its names are public."""
    found = set()
    for top in ("hf_grok", *TOP_LEVEL):
        for file in (ROOT / top).rglob("__init__.py"):
            if declared(file) is not None:
                path = file.parent.relative_to(ROOT).as_posix()
                module = path.replace("/", ".")
                found.add(module if top == "hf_grok" else f"hf_grok.{module}")
    return found
