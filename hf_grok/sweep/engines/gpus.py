"""The accelerators of this machine, dealt out to the runs that lie beside each other on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hf_grok.errors import UserError

VISIBLE = "CUDA_VISIBLE_DEVICES"


def visible_gpus(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the GPUs that a process may use: those that the environment lists, or all.

    A list ends before the first entry that is none ("-1"), as CUDA itself reads it.
    """
    listed = environment.get(VISIBLE)
    if listed is None:
        import torch

        return tuple(map(str, range(torch.cuda.device_count())))
    names: list[str] = []
    for name in listed.split(","):
        if not name.strip() or name.strip().startswith("-"):
            break
        names.append(name.strip())
    return tuple(names)


def has_another_accelerator() -> bool:
    """Whether there is one that VISIBLE does not name (Apple's, Intel's): every run takes it."""
    import torch

    found = torch.accelerator.current_accelerator(check_available=True)
    return found is not None and found.type != "cuda"


class Gpus:
    """GPUs, and who uses each.

    Args:
        names: as CUDA_VISIBLE_DEVICES lists them.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._users: dict[str, set[str]] = {name: set() for name in names}

    def __len__(self) -> int:
        return len(self._users)

    def deal(self, key: str, wanted: int) -> tuple[str, ...]:
        """The least used GPUs, of equally used the first; they are shared only if they must be.

        Raises:
            UserError: there are fewer than one run wants.
        """
        if wanted > len(self._users):
            raise UserError(
                f"{key} needs {wanted} GPUs, and this machine has {len(self._users)} "
                f"({VISIBLE} counts): take fewer under `needs` in the sweep's file"
            )
        least = sorted(self._users, key=lambda name: len(self._users[name]))[:wanted]
        for name in least:
            self._users[name].add(key)
        return tuple(least)

    def give_back(self, key: str) -> None:
        """The task uses none any more."""
        for users in self._users.values():
            users.discard(key)
