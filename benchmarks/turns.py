"""Ways of doing one thing in one process, in turns: their times, and their table beside ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from matrix_floor import Product
from torch import Tensor


def multiply(operands: Sequence[tuple[Product, Tensor, Tensor]]) -> None:
    """The matrix products of a floor, each as often as it comes."""
    for product, left, right in operands:
        for _ in range(product.times):
            left @ right


class Turns:
    """Every way once a round; the first is ours, which runs once before, to warm up.

    Args:
        ways: name -> what is timed.
    """

    def __init__(self, ways: Mapping[str, Callable[[], Any]]) -> None:
        self.ways = ways
        self.times: dict[str, list[float]] = {name: [] for name in ways}

    def rounds(self, count: int) -> Iterator[dict[str, Any]]:
        """After each round what every way returned."""
        next(iter(self.ways.values()))()
        for _ in range(count):
            results = {}
            for name, way in self.ways.items():
                began = time.perf_counter()
                results[name] = way()
                self.times[name].append(time.perf_counter() - began)
            yield results

    def seconds(self, name: str) -> float:
        """Median over the rounds."""
        return median(self.times[name])

    def table(self, names: Sequence[str], floor: float) -> None:
        """Print seconds, the floor's share of them, and the times that ours takes.

        Args:
            names: ways to print, ours first.
            floor: seconds that none can be below.
        """
        print(f"{'':<20}{'seconds':>9}{'of floor':>10}{'times ours':>12}{'by round':>17}")
        ours = self.times[names[0]]
        for name in names:
            each = [one / other for one, other in zip(self.times[name], ours, strict=True)]
            seconds = self.seconds(name)
            print(
                f"{name:<20}{seconds:>9.3f}{floor / seconds:>10.0%}{median(each):>12.1f}"
                f"{min(each):>10.1f} -{max(each):>5.1f}"
            )
