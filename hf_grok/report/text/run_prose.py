"""What happened in a run, in two sentences computed from its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from hf_grok.dynamics import GrokkingSummary, Run
from hf_grok.dynamics.columns import OBJECT_RELATIVES, SUBJECT_RELATIVES, accuracy_curve, curve
from hf_grok.dynamics.curves import Crossing, first_crossing, last_part
from hf_grok.metrics import GENERALIZATION, VALIDATION_LOSS
from hf_grok.report.style.numerals import accuracy, plain, step, times

HALF = 0.5
# Where a mean over the classes of relative clauses would lie with one of three always wrong.
NEAR_TWO_THIRDS = (0.6, 0.73)


def describe_run(run: Run, summary: GrokkingSummary) -> str:
    """Two sentences: saturation and crossing; then what the curve did afterwards."""
    return f"{_arrival(run, summary)} {_aftermath(run, summary)}"


def describe_losses(runs: Sequence[Run]) -> str:
    """One sentence on runs of which only the loss was measured: its way, by run."""
    curves = [
        curve(run.evaluations, VALIDATION_LOSS)
        for run in runs
        if VALIDATION_LOSS in run.evaluations.columns
    ]
    if not curves:
        return "Neither accuracies nor a validation loss were measured."
    firsts, lasts = ([values[place] for _, values in curves] for place in (0, -1))
    length = step(max(int(steps[-1]) for steps, _ in curves))
    way = f"Validation loss went from {_range(firsts)} to {_range(lasts)}"
    if not runs[0].of_recipe:
        return f"{way} in {length} steps, as its Trainer measured it."
    return (
        f"{way} nats a predicted token in "
        f"{length} steps; the language asks no questions, so there are no accuracies."
    )


def _range(values: Sequence[float]) -> str:
    low, high = plain(min(values)), plain(max(values))
    return low if low == high else f"{low}-{high}"


def describe_status(run: Run) -> str | None:
    """One sentence about a run that did not finish; None if it did."""
    last = step(run.evaluations.index[-1])
    if run.status == "failed":
        reason = str(run.info.get("reason", "")).strip().rstrip(".")
        because = f": {reason}" if reason else ""
        return f"This run failed (last evaluation at step {last}){because}. " + PARTIAL
    if run.status == "running":
        return (
            f"This run is not finished: it is going on or was cut off (last evaluation at step "
            f"{last}). {PARTIAL}"
        )
    if run.status == "unfinished":
        return (
            f"What was logged reaches step {step(run.info['logged'])} of "
            f"{step(run.info['planned'])}: this run is going on, was cut off, or left no "
            f"checkpoint of its end. {PARTIAL}"
        )
    return None


PARTIAL = "Everything here describes only the part that was done."


def _arrival(run: Run, summary: GrokkingSummary) -> str:
    if summary.saturation is None:
        return _never_saturated(summary)
    opening = f"In-distribution accuracy passed .99 at step {step(summary.saturation.step)}"
    crossing = summary.crossings[-1]
    if crossing is None:
        return f"{opening}; generalization {_fell_short(summary)}."
    if crossing.step <= summary.saturation.step:
        return (
            f"{opening}; generalization had crossed .95 by step {step(crossing.step)}, so nothing "
            "was delayed."
        )
    return f"{opening}; generalization {_delayed(run, summary.saturation, crossing)}."


def _never_saturated(summary: GrokkingSummary) -> str:
    top = summary.in_distribution_maximum
    crossing = summary.crossings[-1]
    arrived = f"crossed .95 at step {step(crossing.step)}" if crossing else _fell_short(summary)
    return (
        f"In-distribution accuracy never passed .99 in {step(summary.final.step)} steps (highest "
        f"{accuracy(top.value)} at step {step(top.step)}), so no grokking delay can be measured; "
        f"generalization {arrived}."
    )


def _fell_short(summary: GrokkingSummary) -> str:
    top = f"highest {accuracy(summary.maximum.value)} at step {step(summary.maximum.step)}"
    lower = summary.crossings[0]
    if lower is None:
        return f"never reached .8 in {step(summary.final.step)} steps ({top})"
    return (
        f"reached .8 at step {step(lower.step)} but never .95 in {step(summary.final.step)} steps "
        f"({top})"
    )


def _delayed(run: Run, saturation: Crossing, crossing: Crossing) -> str:
    half = first_crossing(*accuracy_curve(run.evaluations, GENERALIZATION), HALF)
    late = _lateness(saturation, crossing)
    if half is None or half.step <= saturation.step:
        return f"had touched .5 by then, but crossed .95 only at step {step(crossing.step)}{late}"
    if half.step == crossing.step:
        return f"stayed under .5 until it crossed .95 at step {step(crossing.step)}{late}"
    return (
        f"stayed under .5 until step {step(half.step)} and crossed .95 at step "
        f"{step(crossing.step)}{late}"
    )


def _lateness(saturation: Crossing, crossing: Crossing) -> str:
    if saturation.step == 0:
        return ""
    return f", {times(crossing.step / saturation.step)} times as many steps"


def _aftermath(run: Run, summary: GrokkingSummary) -> str:
    if summary.adjacency_heuristic:
        return _adjacency(run, summary)
    if summary.crossings[-1] is None:
        return _without_crossing(run, summary)
    if summary.range_after_crossing is None:
        return "That was the last evaluation, so whether it lasts is unknown." + _objects(summary)
    low, high = summary.range_after_crossing
    moved = "held" if low >= summary.crossings[-1].threshold else "swung"
    return (
        f"Afterwards it {moved} between {accuracy(low)} and {accuracy(high)}, and it averaged "
        f"{accuracy(summary.last_quarter_mean)} over the last quarter of the run "
        f"({step(summary.final.step)} steps).{_objects(summary)}"
    )


def _adjacency(run: Run, summary: GrokkingSummary) -> str:
    subjects = " and ".join(accuracy(_late_mean(run, column)) for column in SUBJECT_RELATIVES)
    return (
        f"Its mean of {accuracy(summary.last_quarter_mean)} over the last quarter of the run is "
        f"the adjacency heuristic, not hierarchy: {subjects} on the two kinds of subject "
        f"relatives, but {accuracy(_late_mean(run, OBJECT_RELATIVES))} on object relatives."
    )


def _without_crossing(run: Run, summary: GrokkingSummary) -> str:
    low, high = (accuracy(value) for value in summary.last_quarter_range)
    mean = accuracy(summary.last_quarter_mean)
    sentence = f"Over the last quarter of the run it averaged {mean}"
    if low != high:
        sentence += f" (between {low} and {high})"
    near = NEAR_TWO_THIRDS[0] <= summary.last_quarter_mean <= NEAR_TWO_THIRDS[1]
    if near and summary.adjacency_heuristic is None and run.recipe == "question-formation":
        sentence += (
            "; a mean near 2/3 may be the adjacency heuristic, which accuracy by kind of relative "
            "clause would tell, but it was not measured"
        )
    return sentence + "."


def _objects(summary: GrokkingSummary) -> str:
    """A warning where the mean crossed without object relatives."""
    objects = summary.object_relatives_at_crossing
    if summary.hierarchical:
        return ""
    seen = "were not measured" if objects is None else f"were at {accuracy(objects)}"
    return f" This does not count as hierarchical: object relatives {seen} at the crossing."


def _late_mean(run: Run, column: str) -> float:
    steps, values = accuracy_curve(run.evaluations, column)
    return float(values[last_part(steps)].mean())
