"""Numbers of a recipe with which nothing can be trained or measured, refused beforehand."""

from __future__ import annotations

import math

from hf_grok.errors import UserError
from hf_grok.recipes.recipe import Settings

_BELOW_ONE = math.nextafter(1.0, 0.0)
_MORE = (0, math.inf, "0 or more")
_FRACTION = (0, _BELOW_ONE, "0 or more, and below 1")
_COUNT = (1, math.inf, "1 or more")
# Argument -> least and greatest value, and both in words. torch takes a negative weight decay,
# under which weights grow, without a word.
RANGES = {
    "learning_rate": _MORE,
    "weight_decay": _MORE,
    "max_grad_norm": (0, math.inf, "0 (gradients are not clipped) or more"),
    "warmup_steps": _MORE,
    "adam_beta1": _FRACTION,
    "adam_beta2": _FRACTION,
    "adam_epsilon": _MORE,
    "label_smoothing_factor": _FRACTION,
    "per_device_train_batch_size": _COUNT,
    "gradient_accumulation_steps": _COUNT,
    "max_steps": _MORE,
    "threads": (0, math.inf, "0 (chosen by width and batch) or more"),
    "stop_after": (0, math.inf, "0 (never) or more steps"),
    "probe_examples": (1, math.inf, "at least 1 sentence; --probes none turns the probes off"),
    "probe_pairs": (
        *(1, math.inf),
        "at least 1 pair a paradigm; leave pairs out of --probes to score none",
    ),
    "probe_every": (1, math.inf, "at least 1 step"),
}


def check_ranges(settings: Settings) -> None:
    """Look at every argument of RANGES.

    Raises:
        UserError: one lies outside, or is no number; says what was expected.
    """
    for name, (least, greatest, words) in RANGES.items():
        group = next(one for one in (settings.probes, settings.training) if hasattr(one, name))
        value = getattr(group, name)
        if value is not None and not least <= float(value) <= greatest:
            raise UserError(f"{name}={value}: expected {words}")
