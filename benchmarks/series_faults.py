"""Fault campaign: is anything of a series lost, wrong, doubled or leaked when everything fails?

    python benchmarks/series_faults.py --runs 200 --seed 0

Each run is a series of twelve checkpoints, pushed to a server of the tests (the real client, real
git) that fails at random, by a process that is killed up to three times at random moments; each
is followed by recovery. The exit status is 0 if every checkpoint that should exist does, bit for
bit, once. Folders of runs that were not clean are kept and named.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

# Killed processes leave the locks of their progress bars behind, which would be told at the end.
os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning:multiprocessing.resource_tracker")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.hub_server import HubServer
from tests.series.fault_campaign import Campaign, Tally, table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the first run")
    parser.add_argument("--folder", type=Path, help="for servers and runs (default: temporary)")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="series-faults-"))
    tallies: list[Tally] = []
    with HubServer(folder / "server") as server:
        campaign = Campaign(folder, server)
        seeds = range(options.seed, options.seed + options.runs)
        for seed in tqdm(seeds, desc="campaign", unit="run"):
            tallies.append(campaign.run(seed))
            if not tallies[-1].clean:
                tqdm.write(f"seed {seed}: {tallies[-1]} (kept in {folder / f'seed{seed}'})")
    print(table(tallies))
    return 0 if all(tally.clean for tally in tallies) else 1


if __name__ == "__main__":
    raise SystemExit(main())
