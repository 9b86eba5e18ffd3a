"""Kill campaign: does a run that is killed anywhere and resumed leave the bytes of one that is not?

    python benchmarks/resume_kills.py --runs 100 --seed 0

Tiny recipes (drawn dropout masks, the regulariser, a branch, a series that is set aside, rotation,
checkpoints that are rare) are killed up to three times each, at named points and at any time, with
a damaged checkpoint in between at times, then resumed to their end and once more after it. The
exit status is 0 if every file of every run is the undisturbed run's, but for run times. Folders of
runs that were not are kept and named.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

os.environ["HF_HUB_OFFLINE"] = "1"  # series are set aside, not pushed
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.recipes.kill_campaign import Campaign, Outcome, table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the first run")
    parser.add_argument("--seeds", type=int, nargs="+", help="these runs only")
    parser.add_argument("--folder", type=Path, help="for the runs (default: temporary)")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="resume-kills-"))
    folder.mkdir(parents=True, exist_ok=True)
    campaign = Campaign(folder)
    outcomes: list[Outcome] = []
    seeds = options.seeds or range(options.seed, options.seed + options.runs)
    for seed in tqdm(seeds, desc="campaign", unit="run"):
        outcome = campaign.run(seed)
        outcomes.append(outcome)
        if outcome.wrong:
            kept = folder / f"seed{seed}"
            tqdm.write(f"seed {seed} ({outcome.setting}; {', '.join(outcome.kills)}): ")
            tqdm.write(f"  {'; '.join(outcome.wrong)[:2000]} (kept in {kept})")
    print(table(outcomes))
    return 0 if not any(outcome.wrong for outcome in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
