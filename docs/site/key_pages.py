"""Three pages of docs/keys, made of what the code declares: numbers, a recipe's keys, a sweep's.

`python docs/site/key_pages.py` writes them; `tests/docs/test_key_pages.py` says when to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from transformers import TrainingArguments

from hf_grok.metrics import PREFIX, PROBES, RUN, Level, Metric
from hf_grok.recipes.arguments import (
    DataArguments,
    GrokTrainingArguments,
    ModelArguments,
    ProbeArguments,
)
from hf_grok.runs.record import default_of
from hf_grok.sas.arguments import SASArguments

FOLDER = Path(__file__).resolve().parents[1] / "keys"
THEIRS = (
    "https://huggingface.co/docs/transformers/main_classes/trainer#transformers.TrainingArguments"
)

RUN_TITLE = "What a recipe measures"
# Logged by ProbeCallback beside the numbers of its probes.
BESIDE = {
    "eval_probes_runtime": "seconds that the round took, of the slowest process",
    "eval_PROBE_failed": "1 where the probe PROBE failed; its reason is in `probes.jsonl`",
}

# Key of a sweep file -> what it says, and what it may be.
SWEEP: Mapping[str, tuple[str, str]] = {
    "recipe": ("name of a shipped recipe, or a .yaml file beside this one", "required"),
    "scale": ("of a shipped recipe: quick, laptop or paper", "quick"),
    "common": ("keys of a recipe and their values, in every arm", "none"),
    "seeds": ("`[0, 1, 2]`, `0-9` or `[0-4, 7]`: every arm is run at each", "required"),
    "arms": (
        "name: its keys of a recipe and their values; the first is what others are compared with",
        "required without a grid",
    ),
    "grid": (
        "key of a recipe: list of values; every combination is an arm, named by its values",
        "none",
    ),
    "needs": (
        "`cpus`, `gpus` and `memory_gb` of each run, which schedulers reserve",
        "one core; a GPU where there is one",
    ),
    "launch": (
        "the command under which each run starts, such as `accelerate launch --num_processes 2`",
        "python itself",
    ),
}
ARM: Mapping[str, tuple[str, str]] = {
    "from": ("the arm that this one branches off, at the same seed", "from the beginning"),
    "step": ("the step at which it does", "required with `from`"),
    "reset_optimizer": ("true: the optimiser's moments start afresh there", "false"),
}


def metrics_page() -> str:
    """Every number of this package, as `hf_grok.metrics` declares it."""
    parts = [
        "# Every number",
        "What `ProbeCallback` and recipes log at an evaluation, by its key in `log_history`,"
        " `metrics.jsonl` and `metric_for_best_model`. A `{}` stands for a relation, an offset, a"
        " paradigm, a kind or a parameter. *Shown* are the numbers that reports draw and dashboards"
        " chart (**bold**: headlines, which cards and tables of sweeps have too), unless"
        ' `probe_detail="all"` charts all. A probe of another package declares its own.',
        "Beside the probes' numbers there are:",
        _table(("key", "what it is"), [(f"`{key}`", text) for key, text in BESIDE.items()]),
    ]
    for title, numbers in {RUN_TITLE: RUN, **PROBES}.items():
        heading = title if title == RUN_TITLE else f"`{title}`"
        parts += [f"## {heading}", _table(METRIC_HEADINGS, map(_metric_row, numbers.items()))]
    return _page(parts)


METRIC_HEADINGS = ("key", "what it is", "unit, range, better", "shown")


def _metric_row(item: tuple[str, Metric]) -> tuple[str, ...]:
    name, metric = item
    better = {True: "higher", False: "lower", None: ""}[metric.higher_is_better]
    facts = (metric.unit, _range(metric.lowest, metric.highest), better)
    lines = [one for one in (metric.baseline, *metric.beside) if one is not None]
    shown = "**yes**" if metric.headline else "yes" if metric.panel else ""
    return (
        f"`{PREFIX}{name}`",
        metric.meaning + (f"; beside it {', '.join(map(_line, lines))}" if lines else ""),
        ", ".join(fact for fact in facts if fact),
        shown,
    )


def _range(lowest: float | None, highest: float | None) -> str:
    if lowest is None and highest is None:
        return ""
    if highest is None:
        return f"{lowest:g} or more"
    return f"{highest:g} or less" if lowest is None else f"{lowest:g} to {highest:g}"


def _line(line: str | Level) -> str:
    return f"{line.label}, {line.value:g}" if isinstance(line, Level) else f"`{PREFIX}{line}`"


def recipe_page() -> str:
    """Every key that a recipe may have, but for what transformers describes itself."""
    changed = [
        (f"`{name}`", _value(theirs), _value(ours))
        for name, (theirs, ours) in changed_defaults().items()
    ]
    parts = [
        "# The recipe, key by key",
        "A recipe is a YAML file of these keys and their values. `--KEY VALUE` on the command line"
        " of `hf-grok train` stands above it, and `hf-grok train --options` prints the same. JSON"
        " and schedules are quoted: YAML takes `0:0.3` for a time of day.",
    ]
    for title, names in own_keys().items():
        rows = [_argument_row(item) for item in names]
        parts += [f"## {title}", _table(("key", "default", "what it says"), rows)]
    parts += [
        "## What transformers describes",
        f"Every field of [TrainingArguments]({THEIRS}) is a key too, such as `learning_rate`,"
        " `weight_decay` and `seed`. Their defaults are those of transformers but for these:",
        _table(("key", "transformers", "here"), changed),
    ]
    return _page(parts)


def own_keys() -> dict[str, list[Field[Any]]]:
    """Heading -> the keys that are ours."""
    inherited = {item.name for item in fields(TrainingArguments)}
    training = [
        item
        for item in fields(GrokTrainingArguments)
        if item.name not in inherited | {one.name for one in fields(SASArguments)}
    ]
    return {
        "The language": list(fields(DataArguments)),
        "The model": list(fields(ModelArguments)),
        "What is looked at inside it": list(fields(ProbeArguments)),
        "The run": training,
        "The regulariser": list(fields(SASArguments)),
    }


def changed_defaults() -> dict[str, tuple[Any, Any]]:
    """Key of TrainingArguments -> its default there, and here, where they differ."""
    theirs = {item.name: default_of(item) for item in fields(TrainingArguments)}
    ours = {item.name: default_of(item) for item in fields(GrokTrainingArguments)}
    return {
        name: (default, ours[name])
        for name, default in theirs.items()
        if name in vars(GrokTrainingArguments)["__annotations__"] and default != ours[name]
    }


def _argument_row(item: Field[Any]) -> tuple[str, ...]:
    # Not by its type: an argument parser that has seen the class takes the None out of it.
    return (
        f"`{item.name}`",
        _value(default_of(item)),
        " ".join(str(item.metadata.get("help", "")).split()),
    )


def _value(value: Any) -> str:
    if value is None:
        return "not set"
    value = getattr(value, "value", value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"`{value}`" if value != "" else "empty"


def sweep_page() -> str:
    """Every key of a sweep file."""
    headings = ("key", "what it says", "default")
    return _page(
        [
            "# The sweep file, key by key",
            "[Sweeps](../sweeps.md) says what is made of it.",
            _table(headings, _rows(SWEEP)),
            "## An arm",
            "Any key of a [recipe](recipe.md), and:",
            _table(headings, _rows(ARM)),
        ]
    )


def _rows(keys: Mapping[str, tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    for key, (text, default) in keys.items():
        yield f"`{key}`", text, default


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    cells = ([cell.replace("|", r"\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"


PAGES = {"metrics.md": metrics_page, "recipe.md": recipe_page, "sweep.md": sweep_page}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, made in PAGES.items():
        (FOLDER / name).write_text(made(), encoding="utf-8")
