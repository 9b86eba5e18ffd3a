"""Packages that only a part of hf-grok needs: imported where they are used."""

from __future__ import annotations

import importlib
from types import ModuleType

from hf_grok.errors import UserError


def import_optional(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import `module`, or say which extra brings it.

    Args:
        module: dotted name of the module, such as "matplotlib.figure".
        extra: the extra of hf-grok that installs it.
        purpose: what needs it, as the subject of a sentence ("the figures of a report").

    Raises:
        UserError: if the package is not installed. An import that fails inside an installed
            package is not hidden: it is raised as it is.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise UserError(
            f'{purpose} need {package}, which is not installed: pip install "hf-grok[{extra}]"'
        ) from error
