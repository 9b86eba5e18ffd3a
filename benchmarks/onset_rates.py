"""How often an onset is found: in curves without one, and in curves whose onset is known.

    python benchmarks/onset_rates.py --curves 1000

Prints, at the default window, the share of curves of noise in which acceleration finds an onset
(all of them false), and for steps and sigmoids of several widths and noise levels how often one is
found, how often its interval covers where the curve bends most, and how wide it is.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hf_grok.dynamics import Onset, default_window, find_onset

Curve = NDArray[np.float64]
Random = np.random.Generator
# A sigmoid bends most so many widths before its centre.
BEND = float(np.log(2.0 + np.sqrt(3.0)))


def correlated(size: int, random: Random) -> Curve:
    """Noise that keeps .8 of itself from one evaluation to the next."""
    values = random.normal(size=size)
    for place in range(1, size):
        values[place] = 0.8 * values[place - 1] + 0.6 * values[place]
    return values


NOISES: dict[str, Callable[[int, Random], Curve]] = {
    "white noise": lambda size, random: random.normal(size=size),
    "correlated": correlated,
    "random walk": lambda size, random: random.normal(size=size).cumsum(),
}


def false_onsets(curves: int) -> None:
    """Share of curves of noise with an onset, in percent."""
    print("evaluations   " + "".join(f"{name:>14}" for name in NOISES))
    for size in (30, 80, 200):
        steps = np.arange(0.0, 100.0 * size, 100.0)
        window = default_window(steps)
        cells = []
        for make in NOISES.values():
            drawn = (make(size, np.random.default_rng(seed)) for seed in range(curves))
            found = sum(find_onset(steps, one, window=window).exists for one in drawn)
            cells.append(f"{100 * found / curves:13.1f}%")
        print(f"{size:<14}" + "".join(cells))


def known_onsets(curves: int) -> None:
    """Sigmoids at random places of a run of 40 evaluations: found, covered, width of interval."""
    steps = np.arange(0.0, 4_001.0, 100.0)
    window = default_window(steps)
    print("\nwidth   noise     found   covered   median interval")
    for width in (1.0, 50.0, 100.0, 150.0, 250.0, 400.0):
        for noise in (0.0, 0.01, 0.05):
            spans, covered = [], 0
            for seed in range(curves):
                random = np.random.default_rng(seed)
                centre = random.uniform(1_200.0, 2_800.0)
                curve = 1.0 / (1.0 + np.exp(np.clip((centre - steps) / width, -500.0, 500.0)))
                curve += noise * random.normal(size=steps.size)
                found = find_onset(steps, curve, window=window)
                if isinstance(found, Onset):
                    low, high = found.interval
                    spans.append(high - low)
                    covered += low <= centre - BEND * width <= high
            share = f"{100 * covered / len(spans):.0f} %" if spans else "-"
            middle = f"{np.median(spans):,.0f}" if spans else "-"
            found_share = f"{100 * len(spans) / curves:.0f} %"
            print(f"{width:<8.0f}{noise:<8}{found_share:>7}{share:>10}{middle:>18}")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--curves", type=int, default=1_000, help="of each kind (default: 1000)")
    curves = parser.parse_args().curves
    false_onsets(curves)
    known_onsets(min(curves, 300))


if __name__ == "__main__":
    main()
