"""How far generated question formation and tense inflection are from the released files.

    python benchmarks/released_distribution.py [--files DIR] [--config default|grammar] [--seed N]

Counts the shares by which the released files differ from their own grammar file, in 10,000 test
and 10,000 generalization lines drawn after 100,000 training lines, beside what was counted in the
released files and the tolerance that the default configuration is held to. With `--files DIR`,
your own copy of the released files (question.test, question.gen, tense.test, tense.gen; .dev or
.val and endings such as .tsv are found too) is read with the grammar and counted the same way, and
the total variation between the two over constructions (main clause, subject, object, task) is
printed. It says for each goal whether it is met, and exits with 1 if one is not.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hf_grok
from hf_grok.datasets_scripts import QuestionFormation, TenseInflection
from hf_grok.datasets_scripts.builder.task_sentences import SentenceBuilder
from hf_grok.errors import UserError

Row = dict[str, Any]
AUXILIARIES = {"do", "don't", "does", "doesn't"}


def right_branching_f1(rows: Iterable[Row]) -> float:
    """F1 of (a (b (c d))) against gold spans, over words without the final period."""
    hits = gold_count = right_count = 0
    for row in rows:
        length = len(row["words"]) - 1
        gold = {tuple(span) for span in row["spans"]}
        right = {(start, length) for start in range(length - 1)}
        hits += len(gold & right)
        gold_count += len(gold)
        right_count += len(right)
    return 2 * hits / (gold_count + right_count)


def share(rows: Iterable[Row], condition: Callable[[Row], bool]) -> float:
    met = [condition(row) for row in rows]
    return sum(met) / len(met)


def of_task(rows: Iterable[Row], task: int) -> list[Row]:
    return [row for row in rows if row["task"] == task]


def is_short(row: Row) -> bool:
    return len(row["words"]) == 5  # Det N Aux V .


def has_three_auxiliaries(row: Row) -> bool:
    return sum(word in AUXILIARIES for word in row["words"]) > 2


@dataclass(frozen=True)
class Goal:
    """One number of one split, as it was counted in the released files."""

    name: str
    split: str
    released: float
    tolerance: float
    count: Callable[[list[Row]], float]


GOALS: dict[type[SentenceBuilder], tuple[Goal, ...]] = {
    QuestionFormation: (
        Goal("quest lines", "test", 0.403, 0.015, lambda rows: share(rows, lambda r: r["task"])),
        Goal(
            "decl lines with a subject relative",
            "test",
            0.31,
            0.015,
            lambda rows: share(of_task(rows, 0), lambda r: r["subject_modifier"] >= 2),
        ),
        Goal("Det N Aux V .", "test", 0.006, 0.009, lambda rows: share(rows, is_short)),
        Goal(
            "right-branching F1, quest",
            "test",
            0.662,
            0.008,
            lambda rows: right_branching_f1(of_task(rows, 1)),
        ),
        Goal("right-branching F1", "generalization", 0.367, 0.008, right_branching_f1),
        Goal(
            "a third auxiliary",
            "generalization",
            0.0,
            0.0,
            lambda rows: share(rows, has_three_auxiliaries),
        ),
        Goal(
            "object relatives",
            "generalization",
            1 / 3,
            0.015,
            lambda rows: share(rows, lambda r: r["subject_modifier"] == 4),
        ),
    ),
    TenseInflection: (
        Goal("right-branching F1", "test", 0.501, 0.008, right_branching_f1),
        Goal("right-branching F1", "generalization", 0.412, 0.008, right_branching_f1),
        Goal(
            "subjects with a PP",
            "generalization",
            0.6,
            0.015,
            lambda rows: share(rows, lambda r: r["subject_modifier"] == 1),
        ),
    ),
}
# Endings of the released files: `question.test`, `tense.gen`, ...
ENDINGS = {
    "test": ("test", "dev", "val", "validation"),
    "generalization": ("gen", "generalization"),
}
STEMS = {QuestionFormation: "question", TenseInflection: "tense"}


def construction(row: Row) -> tuple[Any, ...]:
    """What a line is built of: its task and its words' parts of speech and relations."""
    return row["task"], tuple(row["upos"]), tuple(row["deprels"])


def total_variation(ours: Iterable[Row], theirs: Iterable[Row]) -> float:
    """Half the sum over constructions of |share here - share there|; 0 to 1."""
    counts = [Counter(map(construction, rows)) for rows in (ours, theirs)]
    sizes = [sum(count.values()) for count in counts]
    return (
        sum(
            abs(counts[0][key] / sizes[0] - counts[1][key] / sizes[1])
            for key in counts[0].keys() | counts[1].keys()
        )
        / 2
    )


def generated(kind: type[SentenceBuilder], config: str, seed: int) -> dict[str, list[Row]]:
    builder = kind(config, seed=seed)
    return {split: [*map(builder.row, builder.examples(split))] for split in ENDINGS}


def released_files(folder: Path, stem: str, split: str) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        parts = path.name.lower().replace("_", ".").split(".")
        if parts[0].startswith(stem) and any(ending in parts for ending in ENDINGS[split]):
            yield path


def read(kind: type[SentenceBuilder], folder: Path) -> dict[str, list[Row]]:
    """The rows of the files that are there, by split."""
    found: dict[str, list[Row]] = {}
    for split in ENDINGS:
        for path in released_files(folder, STEMS[kind], split):
            builder = kind(data_files={split: path})
            found.setdefault(split, []).extend(builder.read_rows(split, str(path)))
    return found


def compare(kind: type[SentenceBuilder], config: str, seed: int, folder: Path | None) -> bool:
    """Print one language's table; whether every goal is met."""
    ours = generated(kind, config, seed)
    files = read(kind, folder) if folder else {}
    all_met = True
    print(f"{kind.__name__}, configuration {config}, seed {seed}")
    print(f"  {'':38} {'split':15} generated  released  your files")
    for goal in GOALS[kind]:
        value = goal.count(ours[goal.split])
        met = abs(value - goal.released) <= goal.tolerance
        all_met &= met
        own = f"{goal.count(files[goal.split]):10.4f}" if files.get(goal.split) else " " * 10
        verdict = "met" if met else f"MISSED (within {goal.tolerance:g})"
        print(
            f"  {goal.name:38} {goal.split:15} {value:9.4f} {goal.released:9.4f}  {own}  {verdict}"
        )
    for split, rows in files.items():
        distance = total_variation(ours[split], rows)
        # Two samples of one distribution are not at 0: halves of our own say where they are.
        noise = total_variation(ours[split][::2], ours[split][1::2])
        print(
            f"  total variation over constructions     {split:15} {distance:9.4f}  "
            f"({len(rows):,} lines of yours; two halves of ours: {noise:.4f})"
        )
    return all_met


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=Path, help="folder of the released files")
    parser.add_argument("--config", default="default", choices=["default", "grammar"])
    parser.add_argument("--seed", type=int, default=0, help="of the generated lines (default 0)")
    arguments = parser.parse_args()
    if arguments.files is not None and not arguments.files.is_dir():
        parser.error(f"--files {arguments.files}: there is no such folder")
    print(f"versions  hf-grok {hf_grok.__version__}, Python {platform.python_version()}")
    try:
        met = [compare(kind, arguments.config, arguments.seed, arguments.files) for kind in GOALS]
    except UserError as error:
        parser.error(str(error))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
