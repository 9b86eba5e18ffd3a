"""`hf-grok env`: what a bug report needs, and nothing that names who writes it."""

from __future__ import annotations

import getpass
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hf_grok._option_parser import OptionParser

# Installed or not, they decide what a run does; optional ones beside those that every run names.
_OPTIONAL = (
    *("huggingface_hub", "safetensors", "evaluate", "matplotlib", "pandas", "pyarrow", "scipy"),
    *("peft", "trl", "ray", "spacy", "trackio", "tensorboard", "wandb"),
)
# Read by torch, OpenMP and MKL when they are first imported.
_THREADS = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "MKL_NUM_THREADS")
_OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")


def build_parser() -> OptionParser:
    """The options of `hf-grok env`."""
    parser = OptionParser(
        prog="hf-grok env",
        description=(
            "Print what a bug report needs: versions, system, device, threads, caches and whether\n"
            "the Hub may be asked. No token is printed, and no path names a user: paste it whole."
        ),
        epilog="examples:\n  hf-grok env\n  hf-grok env --json",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Print the facts; asks nothing of the network."""
    chosen = build_parser().parse_args(arguments)
    found = facts()
    print(json.dumps(found, indent=1) if chosen.json else as_text(found))
    return 0


def facts() -> dict[str, dict[str, Any]]:
    """Heading -> name -> value, as they are on this machine, in this environment."""
    return {
        "versions": _versions(),
        "machine": _machine(),
        "threads": _threads(),
        "caches": _caches(),
        "offline": _offline(),
    }


def as_text(found: Mapping[str, Mapping[str, Any]]) -> str:
    """One block a heading, one line a fact."""
    width = max(len(name) for block in found.values() for name in block) + 2
    blocks = [
        "\n".join([f"{title}:", *(f"  {name:<{width}}{value}" for name, value in block.items())])
        for title, block in found.items()
    ]
    return "\n\n".join(blocks)


def without_user(path: str | os.PathLike[str]) -> str:
    """A path that names nobody: the home folder is ~, the user's name anywhere else USER.

    >>> from pathlib import Path
    >>> from hf_grok.commands.env import without_user
    >>> without_user(Path.home() / "models")
    '~/models'
    """
    whole, home = Path(path), Path.home()
    if whole == home or home in whole.parents:
        return (Path("~") / whole.relative_to(home)).as_posix()
    user = _user()
    return Path(*("USER" if part == user else part for part in whole.parts)).as_posix()


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return None


def _versions() -> dict[str, str]:
    from hf_grok.runs.record import versions

    return versions(*_OPTIONAL)


def _machine() -> dict[str, Any]:
    import torch

    from hf_grok.recipes.trainer.hardware import multiplies_bf16
    from hf_grok.runs.record import machine

    accelerator = torch.accelerator.current_accelerator(check_available=True)
    device = torch.device("cpu") if accelerator is None else torch.device(accelerator.type)
    count = 0 if accelerator is None else torch.accelerator.device_count()
    names = {torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())}
    known = machine(device.type, torch.get_num_threads())
    return {
        "system": platform.platform(),
        "processor": known["processor"],
        "cores": known["cores"],
        "device": f"{device.type} x {count}" if count else device.type,
        **({"device names": ", ".join(sorted(names))} if names else {}),
        "bf16 in hardware": "yes" if multiplies_bf16(device) else "no",
    }


def _threads() -> dict[str, Any]:
    import torch

    said = {name: os.environ.get(name, "not set") for name in _THREADS}
    return {"torch": torch.get_num_threads(), **said}


def _caches() -> dict[str, str]:
    import datasets
    from huggingface_hub import constants

    folders = {
        "HF_HOME": constants.HF_HOME,
        "Hub": constants.HF_HUB_CACHE,
        "datasets": datasets.config.HF_DATASETS_CACHE,
    }
    return {name: without_user(folder) for name, folder in folders.items()}


def _offline() -> dict[str, str]:
    from huggingface_hub import get_token, is_offline_mode

    return {
        "the Hub may be asked": "no" if is_offline_mode() else "yes",
        "a token is there": "no" if get_token() is None else "yes (not shown)",
        **{name: os.environ.get(name, "not set") for name in _OFFLINE},
    }
