"""Pictures of one round of probes, as soon as it is over: projected trees, attention maps."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_grok._optional import import_optional
from hf_grok.dynamics import Run
from hf_grok.report.figures import attention, trees
from hf_grok.report.groups import Group
from hf_grok.report.style.drawing import theme

if TYPE_CHECKING:
    from PIL.Image import Image

DPI = 110
# Name of the picture -> what draws it.
DRAWN = {"tree/projected trees": trees.draw_trees, "uas/attention": attention.draw_attention}


def round_images(pictures: Mapping[str, Any], step: int) -> dict[str, Image]:
    """The figures of a report that one round is enough for, as images.

    Args:
        pictures: probe -> what it left to be drawn.
        step: of the round.

    Returns:
        Name -> image; without those of probes that left no picture, or none that fits.

    Raises:
        UserError: matplotlib or pandas is not installed; a picture of another form.
    """
    group = _group_of(pictures, step)
    images = {}
    for name, draw in DRAWN.items():
        with theme(name):
            figure = draw(group)
            if figure is not None:
                images[name] = _image(figure)
    return images


def _group_of(pictures: Mapping[str, Any], step: int) -> Group:
    pandas = import_optional("pandas", extra="report", purpose="the figures of a report")
    nothing = pandas.DataFrame()
    run = Run(
        path=Path("run"),
        info={"status": "running"},
        evaluations=nothing,
        training=nothing,
        pictures={(probe, step): picture for probe, picture in pictures.items()},
    )
    title = f"step {step:,}"
    return Group(recipe=title, scale=None, model=None, layers=None, runs=(run,), summaries=())


def _image(figure: Any) -> Image:
    from PIL import Image

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI)
    with Image.open(file) as image:
        return image.convert("RGB")
