"""Old names of modules, which go on working for one release and say where things are now."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# Old dotted name -> where the module is now. A module in a room that moved keeps its own name.
MOVED: dict[str, str] = {
    "hf_grok.behaviour": "hf_grok.probes.tasks",
    "hf_grok.behaviour.encoding": "hf_grok.probes.inputs.encoding",
    "hf_grok.behaviour.question": "hf_grok.probes.tasks.question_formation",
    "hf_grok.behaviour.tense": "hf_grok.probes.tasks.tense_inflection",
    "hf_grok.guard": "hf_grok.measurement.guard",
    "hf_grok.offline": "hf_grok.evaluation",
    "hf_grok.probing": "hf_grok.evaluation.runner",
    "hf_grok.training": "hf_grok.recipes",
    "hf_grok.trainer": "hf_grok.sas.trainer",
    "hf_grok.training_args": "hf_grok.sas.training_arguments",
    "hf_grok.batched_attention": "hf_grok.attention.batched",
    "hf_grok.tally": "hf_grok.measurement.tally",
    "hf_grok.probes.two_nn": "hf_grok.probes.dimension.two_nn",
    "hf_grok.sas.collator": "hf_grok.sas.batches.collator",
    "hf_grok.sas.encoding": "hf_grok.sas.batches.encoding",
    "hf_grok.sas.published": "hf_grok.sas.batches.published",
    "hf_grok.datasets_scripts.conllu": "hf_grok.datasets_scripts.readers.conllu",
    "hf_grok.datasets_scripts.pairs": "hf_grok.datasets_scripts.readers.minimal_pairs",
    "hf_grok.datasets_scripts.tsv": "hf_grok.datasets_scripts.readers.tsv",
    "hf_grok.report.arms": "hf_grok.report.sweep.write",
    "hf_grok.behaviour.rows": "hf_grok.annotation.rows",
    "hf_grok.hiding": "hf_grok.masking",
    "hf_grok.probes.alignment": "hf_grok.annotation.alignment",
    "hf_grok.probes.heads": "hf_grok.annotation.heads",
    "hf_grok.probes.sentences": "hf_grok.annotation.sentences",
    "hf_grok.probes.texts": "hf_grok.annotation.alignment",
    "hf_grok.sas.sham": "hf_grok.annotation.sham",
    "hf_grok.scheme": "hf_grok.annotation.scheme",
    "hf_grok.record": "hf_grok.runs.record",
    "hf_grok.run_files": "hf_grok.runs.folder",
    "hf_grok.json_lines": "hf_grok.runs.json_lines",
    "hf_grok.schedule": "hf_grok.runs.schedule",
    "hf_grok.epochs": "hf_grok.runs.epochs",
    "hf_grok.training.checkpoints": "hf_grok.runs.manifest",
    "hf_grok.dynamics.runs": "hf_grok.runs.read",
    "hf_grok.dynamics.metrics_file": "hf_grok.runs.metrics_file",
    "hf_grok.dynamics.metric_names": "hf_grok.metrics",
    "hf_grok.dynamics.probe_files": "hf_grok.runs.probe_files",
    "hf_grok.series.run_notes": "hf_grok.runs.notes",
    "hf_grok.series.about": "hf_grok.runs.about",
}

# New dotted name of a module -> old name in it -> new name.
RENAMED: dict[str, dict[str, str]] = {
    "hf_grok.masking": {
        "HIDDEN_SHARE": "MASKED_SHARE",
        "hidden_pieces": "masked_positions",
        "mask_pieces": "mask_tokens",
    },
}


class _OldNames(MetaPathFinder, Loader):
    """Finds a module by its old name: under that name the new module is imported."""

    def __init__(self, moved: Mapping[str, str], renamed: Mapping[str, Mapping[str, str]]) -> None:
        self.moved, self.renamed = moved, renamed

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        new = self._new(fullname)
        if new is None:
            return None
        told = "".join(f"; {old} is {name}" for old, name in self.renamed.get(new, {}).items())
        # Frames of the import machinery do not count: the level is that of the import statement.
        warnings.warn(
            f"{fullname} is now {new}{told}: import it from there, the old name will go in the "
            "next release",
            FutureWarning,
            stacklevel=2,
        )
        return ModuleSpec(fullname, self)

    def _new(self, fullname: str) -> str | None:
        room, _, module = fullname.rpartition(".")
        in_room = f"{self.moved[room]}.{module}" if room in self.moved else None
        return self.moved.get(fullname, in_room)

    def exec_module(self, module: ModuleType) -> None:
        new = import_module(self._new(module.__name__) or module.__name__)
        names = self.renamed.get(new.__name__, {})
        if not names:
            # The machinery takes what stands here afterwards: both names are one module.
            sys.modules[module.__name__] = new
            return
        vars(module).update({name: value for name, value in vars(new).items() if name[:2] != "__"})
        vars(module).update({old: getattr(new, name) for old, name in names.items()})


def keep_old_names(
    moved: Mapping[str, str] = MOVED, renamed: Mapping[str, Mapping[str, str]] = RENAMED
) -> None:
    """Importing an old name gives the new module, with a FutureWarning that names it.

    Before all other finders: a module in a room that moved would be found there a second time.
    """
    sys.meta_path.insert(0, _OldNames(moved, renamed))
