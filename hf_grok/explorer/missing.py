"""What a run has not measured, and the command that measures it."""

from __future__ import annotations

import shlex

from hf_grok.explorer.numbers import PARADIGM, RELATION
from hf_grok.explorer.pictures import TREE, UAS, pictured_steps
from hf_grok.explorer.reading import Explored
from hf_grok.metrics import GENERALIZATION, PREFIX, PROBES, key_of
from hf_grok.report.style.pictures import pictures_of
from hf_grok.runs.read import Run
from hf_grok.runs.sweep_files import is_table

# part of the page -> the probe that fills it
PROBE_OF = {"trees": "tree", "maps": "uas", "relations": "uas", "paradigms": "pairs"}

TOO_FEW = (
    "The probe uas ran, and no relation has enough arcs in the sentences that it looked at: give "
    "it more (--probe_examples, or hf-grok probe with a larger file)."
)


def missing_parts(one: Explored) -> dict[str, str]:
    """Part of the page -> why it is empty, and how to fill it; nothing for the parts it has."""
    pictured = pictured_steps(one.run)
    numbers = [column.removeprefix(PREFIX) for column in one.group.columns]
    there = {
        "trees": bool(pictured[TREE]),
        "maps": _has_maps(one.run),
        "relations": any(key_of(PROBES["uas"], name) == RELATION for name in numbers),
        "paradigms": any(key_of(PROBES["pairs"], name) == PARADIGM for name in numbers),
    }
    missing = {part: _how(one, PROBE_OF[part]) for part, found in there.items() if not found}
    if any(key_of(PROBES["uas"], name) for name in numbers) and not there["relations"]:
        missing |= {part: TOO_FEW for part in ("maps", "relations") if part in missing}
    if not any(column.startswith(f"{GENERALIZATION}_") for column in one.group.columns):
        missing["answers"] = (
            "This run measured no answers by kind of clause: its language asks nothing, or has no "
            "kinds."
        )
    return missing


def _has_maps(run: Run) -> bool:
    pictures = pictures_of(run, UAS).values()
    return any(sentence["maps"] for picture in pictures for sentence in picture["sentences"])


def _how(one: Explored, probe: str) -> str:
    table = one.run.path.parent
    if is_table(table):
        return (
            f"This run is read from {table.name}, which has numbers alone and none of these: give "
            "the folder of its sweep."
        )
    failed = [failure for failure in one.run.failures if failure.probe == probe]
    if failed:
        return f"The probe {probe} failed at step {failed[-1].step:,}: {failed[-1].reason}"
    language = one.run.info.get("arguments", {}).get("language", "FILE.conllu")
    data = "minimal-pairs" if probe == "pairs" else str(language)
    words = ["hf-grok", "probe", str(one.run.path), "--data", data, "--probes", probe]
    return (
        f"This run left nothing of the probe {probe}. Measure its saved checkpoints with: "
        f"{shlex.join(words)}; then make this page again."
    )
