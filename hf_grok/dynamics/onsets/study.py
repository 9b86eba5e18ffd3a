"""The onsets of one metric: of every seed and of their mean, by both rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from hf_grok.dynamics.curve_files import MetricCurve
from hf_grok.dynamics.onsets.bootstrap import RESAMPLES, SeedOnset, bootstrap_onset, common_grid
from hf_grok.dynamics.onsets.existence import ExistenceTest, NoOnset, Onset
from hf_grok.dynamics.onsets.find import RULES, Rule, default_window, find_onset
from hf_grok.errors import UserError
from hf_grok.metrics import Direction, Metric, find_metric

# Ours: an accuracy that moves by less has no onset that anybody would look at.
LEAST_RISE_OF_A_SHARE = 0.05


@dataclass(frozen=True)
class OnsetSettings:
    """How the onsets of one metric are sought; None leaves a choice to the metric.

    Args:
        window: None for `default_window` of the mean curve's steps.
        direction: None for the one that the metric declares.
        declared: what is known of the metric; None for what `hf_grok.metrics.find_metric` knows.
        baseline: a number or the name of another metric; None for the first window's best value.
        margin: as `find_onset`.
        hold: as `find_onset`.
        least: least rise that counts; None for .05 of a share that is to rise, else 0.
        resamples: of the seeds.
        seed: of the resampling.
    """

    window: float | None = None
    direction: Direction | None = None
    declared: Metric | None = None
    baseline: float | str | None = None
    margin: float | None = None
    hold: int = 2
    least: float | None = None
    resamples: int = RESAMPLES
    seed: int = 0


@dataclass(frozen=True)
class MetricOnsets:
    """The onsets of one metric.

    Args:
        metric: its name.
        direction: rise or fall.
        window: D, in the unit of the curves' steps.
        baseline: of the crossings, as in `OnsetSettings`.
        models: whose curves, in order.
        single: rule -> one onset for each model.
        over_seeds: rule -> onset of the mean curve; empty for one model.
    """

    metric: str
    direction: Direction
    window: float
    baseline: float | str | None
    models: tuple[str, ...]
    single: Mapping[Rule, tuple[Onset | NoOnset, ...]]
    over_seeds: Mapping[Rule, SeedOnset]

    def conclusion(self, rule: Rule) -> tuple[Onset | NoOnset, tuple[float, float] | None]:
        """The onset that stands for the metric, and its interval.

        Of several seeds that of their mean curve; the interval then covers the resamples too.
        """
        if rule not in self.over_seeds:
            only = self.single[rule][0]
            return only, only.interval if isinstance(only, Onset) else None
        mean = self.over_seeds[rule]
        if not isinstance(mean.onset, Onset):
            return mean.onset, None
        low, high = mean.onset.interval
        if mean.interval is not None:
            low, high = min(low, mean.interval[0]), max(high, mean.interval[1])
        return mean.onset, (low, high)


def study_metric(
    curves: Sequence[MetricCurve], others: Sequence[MetricCurve], settings: OnsetSettings
) -> MetricOnsets:
    """Onsets of one metric by both rules: for every model, and over models where there are several.

    Args:
        curves: of one metric, one for each model.
        others: where the baseline is found if it is another metric; may hold `curves`.
        settings: how to look.

    Raises:
        UserError: as `find_onset`, naming metric and model; a baseline metric that is missing; a
            metric of which nothing says in which direction it should go.
    """
    metric = curves[0].metric
    declared = settings.declared or find_metric(metric)
    direction = settings.direction or _declared_direction(metric, declared)
    pairs = [(curve.steps, curve.values) for curve in curves]
    window = _window(metric, pairs) if settings.window is None else settings.window
    levels = _levels(curves, others, settings.baseline)
    least = settings.least
    if least is None:
        rising = declared is not None and declared.is_share and declared.direction == "rise"
        least = LEAST_RISE_OF_A_SHARE if rising else 0.0
    find = partial(
        find_onset,
        window=window,
        direction=direction,
        margin=settings.margin,
        hold=settings.hold,
        test=ExistenceTest(least=least),
    )
    single, over_seeds = {}, {}
    for rule in RULES:
        single[rule] = _each(curves, partial(find, rule=rule), levels)
        if len(curves) > 1:
            over_seeds[rule] = _over(metric, pairs, partial(find, rule=rule), levels, settings)
    models = tuple(curve.model for curve in curves)
    return MetricOnsets(
        metric=metric,
        direction=direction,
        window=window,
        baseline=settings.baseline,
        models=models,
        single=single,
        over_seeds=over_seeds,
    )


def time_order(
    studies: Sequence[MetricOnsets], rule: Rule
) -> list[tuple[str, Onset, tuple[float, float]]]:
    """(metric, onset, interval) of the metrics that have an onset, the earliest first."""
    found = []
    for study in studies:
        onset, interval = study.conclusion(rule)
        if isinstance(onset, Onset) and interval is not None:
            found.append((study.metric, onset, interval))
    return sorted(found, key=lambda item: item[1].step)


def _declared_direction(metric: str, declared: Metric | None) -> Direction:
    if declared is None or declared.direction is None:
        raise UserError(
            f"{metric}: nothing says whether its onset is a rise or a fall: give "
            f"--direction {metric}=rise or --direction {metric}=fall"
        )
    return declared.direction


def _window(metric: str, pairs: Sequence[tuple[ArrayLike, ArrayLike]]) -> float:
    try:
        return default_window(common_grid(pairs)[0])
    except UserError as error:
        raise UserError(f"{metric}: {error}") from error


def _levels(
    curves: Sequence[MetricCurve], others: Sequence[MetricCurve], baseline: float | str | None
) -> list[ArrayLike] | None:
    """The baseline of every curve, at its own steps."""
    if baseline is None:
        return None
    if not isinstance(baseline, str):
        return [baseline] * len(curves)
    found = {curve.model: curve for curve in others if curve.metric == baseline}
    levels: list[ArrayLike] = []
    for curve in curves:
        if curve.model not in found:
            raise UserError(f"{curve.model} has no {baseline}, the baseline of {curve.metric}")
        level = found[curve.model]
        levels.append(np.interp(curve.steps, level.steps, level.values))
    return levels


def _each(
    curves: Sequence[MetricCurve],
    find: partial[Onset | NoOnset],
    levels: Sequence[ArrayLike] | None,
) -> tuple[Onset | NoOnset, ...]:
    onsets = []
    for position, curve in enumerate(curves):
        try:
            level = None if levels is None else levels[position]
            onsets.append(find(curve.steps, curve.values, baseline=level))
        except UserError as error:
            raise UserError(f"{curve.metric} of {curve.model}: {error}") from error
    return tuple(onsets)


def _over(
    metric: str,
    pairs: Sequence[tuple[ArrayLike, ArrayLike]],
    find: partial[Onset | NoOnset],
    levels: Sequence[ArrayLike] | None,
    settings: OnsetSettings,
) -> SeedOnset:
    try:
        return bootstrap_onset(
            pairs, find, baselines=levels, resamples=settings.resamples, seed=settings.seed
        )
    except UserError as error:
        raise UserError(f"{metric}, mean of {len(pairs)} curves: {error}") from error
