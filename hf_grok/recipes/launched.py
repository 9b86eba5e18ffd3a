"""Whether as many processes run as the launcher was asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from accelerate.commands.config.config_args import default_config_file, load_config_from_file
from accelerate.commands.launch import launch_command_parser

from hf_grok.errors import UserError

psutil: Any = import_module("psutil")  # which accelerate needs; it has no types


def check_launched() -> None:
    """Refuse to be the only process where `accelerate launch` was asked for several.

    On a machine without GPUs `accelerate launch --num_processes 2` starts one process, unless it is
    told --multi_gpu, and says nothing: the run would have half the batch.

    Raises:
        UserError: this process is alone, and its launcher was asked for more.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return
    try:
        asked = processes_asked(psutil.Process().parent().cmdline())
    except (psutil.Error, AttributeError):  # no parent, or one that may not be looked at
        return
    if asked > 1:
        raise UserError(
            f"accelerate launch was asked for {asked} processes and started one, as it does on a "
            f"machine without GPUs. Start them by torchrun --nproc_per_node {asked} -m "
            f"hf_grok.train ..., or by accelerate launch --multi_gpu --num_processes {asked} -m "
            "hf_grok.train ... --use_cpu true"
        )


def processes_asked(command: Sequence[str]) -> int:
    """How many processes a command line asks `accelerate launch` for; 1 where it is another one."""
    words = _launcher_words(command)
    if words is None:
        return 1
    given = launch_command_parser().parse_args(words)
    if given.num_processes is not None:
        return int(given.num_processes)
    if given.config_file is None and not Path(default_config_file).is_file():
        return 1
    return int(load_config_from_file(given.config_file).num_processes or 1)


def _launcher_words(command: Sequence[str]) -> list[str] | None:
    """What stands behind `accelerate launch`, in any of its forms; None where it does not."""
    for at, word in enumerate(command):
        name = Path(word).name.removesuffix(".exe")
        if name == "accelerate" and command[at + 1 : at + 2] == ["launch"]:
            return list(command[at + 2 :])
        if name in ("accelerate-launch", "accelerate.commands.launch"):
            return list(command[at + 1 :])
    return None
