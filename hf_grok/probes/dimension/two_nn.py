"""TwoNN: the intrinsic dimension of a cloud of points from two neighbours of each."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hf_grok.errors import UserError, unknown_name
from hf_grok.measurement.precision import in_double

METRICS = ("cosine", "euclidean")
# With fewer the tenth that is cut away would be no point.
FEWEST_POINTS = 10
# Numbers held at once, of float64: 32 MiB, however many points there are.
BLOCK = 2**22
# Nearest neighbours by a matrix product, of which the exact distances are then taken.
CANDIDATES = 8


def two_nn(
    points: Float[Tensor, "point width"], metric: str = "cosine", discard: float = 0.1
) -> float:
    """d = sum x_i y_i / sum x_i^2 with x_i = log mu_i, y_i = -log(1 - i / N), mu_i ascending.

    mu = r2 / r1, the distances of a point to its second and first neighbour. Points with r1 = 0
    (repeated) or r1 = r2 are left out first; N is the number of the others. The largest share
    `discard` of the mu_i is then left out of the sums, N staying as it was; and the last of all
    in any case, whose y is infinite.

    Args:
        points: one a row, of any floating type; computed in float64.
        metric: "euclidean", or "cosine" for r = 1 - cosine. That is half the square of the
            Euclidean distance of the normalised vectors, so its estimate is half of theirs.
        discard: fraction of the largest mu left out, in [0, 1).

    Returns:
        Dimensions, positive.

    Raises:
        UserError: an unknown metric, a share out of range, a coordinate that is not finite, a zero
            vector under "cosine", or fewer than 10 points of use.

    Source: Facco et al. 2017 (Scientific Reports 7, 12140); the distance 1 - cosine: Chen et al.
    2024 (arXiv 2309.07311).
    """
    return dimension_of_ratios(neighbour_ratios(points, metric), discard)


def neighbour_ratios(
    points: Float[Tensor, "point width"], metric: str = "cosine"
) -> Float[Tensor, " kept"]:
    """mu = r2 / r1 of every point whose r1 > 0 and r2 > r1, in the order of the points; float64.

    Raises:
        UserError: as `two_nn`, but for the number of points.
    """
    if metric not in METRICS:
        raise unknown_name("metric", metric, METRICS)
    _require_finite(points)
    places = in_double(points)
    if metric == "cosine":
        places = _normalised(places)
    if len(places) < 3:
        return places.new_zeros(0)
    first, second = two_nearest(places).sqrt().unbind(1)
    # Multiples of one vector come out of the division a rounding apart.
    rounding = 4 * torch.finfo(torch.double).eps if metric == "cosine" else 0.0
    kept = (first > rounding) & (second - first > rounding)
    ratios = second[kept] / first[kept]
    # 1 - cosine is half the squared Euclidean distance of unit vectors.
    return ratios.square() if metric == "cosine" else ratios


def dimension_of_ratios(ratios: Float[Tensor, " point"], discard: float = 0.1) -> float:
    """The fit of `two_nn` to ratios r2 / r1 > 1.

    Raises:
        UserError: a share out of [0, 1), or fewer than 10 ratios.
    """
    if not 0 <= discard < 1:
        raise UserError(
            f"discard is {discard}: expected a fraction of the points, 0 <= discard < 1"
        )
    count = len(ratios)
    if count < FEWEST_POINTS:
        raise UserError(
            f"{count} points have two neighbours at different distances above 0: expected at "
            f"least {FEWEST_POINTS}, and some hundreds for an estimate to rely on"
        )
    # A product such as 0.7 * 10 can fall short of a whole number by a rounding.
    kept = min(math.floor((1 - discard) * count + 1e-9), count - 1)
    x = in_double(ratios).log().sort().values[:kept]
    y = -torch.log1p(-torch.arange(1, kept + 1, dtype=torch.double, device=x.device) / count)
    return float((x @ y) / (x @ x))


def two_nearest(points: Float[Tensor, "point width"]) -> Float[Tensor, "point 2"]:
    """Squared Euclidean distances of each point to its two nearest others, ascending; exact.

    A matrix product names candidates, whose distances are then taken from their differences: the
    product alone would lose the small ones, |x|^2 + |y|^2 - 2 x.y, to rounding. Where rounding
    could have hidden a nearer point, every difference is taken. Memory does not grow with the
    square of the number of points.
    """
    centred = points - points.mean(0)
    block = max(1, BLOCK // max(len(points), CANDIDATES * points.shape[1]))
    rows = torch.arange(len(points), device=points.device).split(block)
    return torch.cat([_two_nearest_of(chosen, points, centred) for chosen in rows])


def _two_nearest_of(
    rows: Int[Tensor, " row"],
    points: Float[Tensor, "point width"],
    centred: Float[Tensor, "point width"],
) -> Float[Tensor, "row 2"]:
    squares = centred.square().sum(1)
    about = squares[rows, None] + squares - 2 * centred[rows] @ centred.T
    about.scatter_(1, rows[:, None], math.inf)
    count = min(CANDIDATES, len(points) - 1)
    nearest = about.topk(count, largest=False)
    differences = points[rows, None] - points[nearest.indices]
    found = differences.square().sum(2).sort(1).values[:, :2]
    if count < len(points) - 1:
        # A bound on the rounding of `about`: all that was left out is farther than this allows.
        slack = 4 * (points.shape[1] + 4) * torch.finfo(points.dtype).eps * squares.max()
        for row in (nearest.values[:, -1] - slack <= found[:, 1]).nonzero().squeeze(1).tolist():
            found[row] = _two_nearest_to(int(rows[row]), points)
    return found


def _two_nearest_to(row: int, points: Float[Tensor, "point width"]) -> Float[Tensor, " 2"]:
    distances = (points - points[row]).square().sum(1)
    distances[row] = math.inf
    return distances.topk(2, largest=False).values.sort().values


def _require_finite(points: Float[Tensor, "point width"]) -> None:
    wrong: Sequence[int] = (~points.isfinite().all(1)).nonzero().squeeze(1).tolist()
    if wrong:
        raise UserError(
            f"point {wrong[0]} has a coordinate that is infinite or not a number: expected finite "
            "points (has the model diverged?)"
        )


def _normalised(points: Float[Tensor, "point width"]) -> Float[Tensor, "point width"]:
    norms = points.norm(dim=1, keepdim=True)
    wrong: Sequence[int] = (norms.squeeze(1) == 0).nonzero().squeeze(1).tolist()
    if wrong:
        raise UserError(
            f"point {wrong[0]} is the zero vector, which has no cosine with others: leave it out, "
            "or take metric='euclidean'"
        )
    return points / norms
