"""A campaign of mutated files: every reader of strangers' bytes, seeded, and resumable by number.

    python benchmarks/fuzz_readers.py --cases 100000
    python benchmarks/fuzz_readers.py --reader card --first 41 --cases 1     # one case again

Case N of a reader is a function of the two. Broken is: a traceback, a message of more than 500
characters or with a control character, a case of more than a second of processor time. Prints the
counts of each reader, and every broken case with the command that repeats it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.text.fuzz import run_case
from tests.text.readers import READERS, SEEDS

SECONDS = 1.0
# Parsing a recipe's arguments takes as long as two hundred of the others.
SLOW = {"recipe": 20, "sweep file": 40, "onsets printed": 10}


def shares(cases: int, names: list[str]) -> dict[str, int]:
    """How many cases each reader gets."""
    weights = {name: 1.0 / SLOW.get(name, 1) for name in names}
    whole = sum(weights.values())
    return {name: max(1, round(cases * weight / whole)) for name, weight in weights.items()}


def campaign(name: str, first: int, cases: int, folder: Path) -> Counter[str]:
    """Run the cases of one reader; broken ones are told at once."""
    counts: Counter[str] = Counter()
    for number in range(first, first + cases):
        began = time.process_time()
        found, data = run_case(name, SEEDS, READERS, number, folder)
        spent = time.process_time() - began
        slow = spent > SECONDS and number > first  # the first one imports
        counts["slow" if slow else found.kind] += 1
        if slow or found.kind == "broken":
            told = f"{spent:.1f} s" if slow else found.told
            print(f"\n--reader {name!r} --first {number} --cases 1: {data[:160]!r}\n{told}")
    return counts


def main() -> int:
    """Print the counts; 1 if anything is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=100_000, help="in all (default: 100000)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case (0)")
    parser.add_argument("--reader", choices=READERS, help="one reader alone")
    options = parser.parse_args()
    warnings.simplefilter("error")
    names = [options.reader] if options.reader else list(READERS)
    total: Counter[str] = Counter()
    kinds = ("read", "refused", "broken", "slow")
    print(f"{'reader':<28}" + "".join(f"{kind:>9}" for kind in kinds))
    for name, cases in shares(options.cases, names).items():
        with tempfile.TemporaryDirectory() as folder:
            counts = campaign(name, options.first, cases, Path(folder))
        print(f"{name:<28}" + "".join(f"{counts[kind]:>9,}" for kind in kinds), flush=True)
        total += counts
    print(f"{'all':<28}" + "".join(f"{total[kind]:>9,}" for kind in kinds))
    return 1 if total["broken"] or total["slow"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
