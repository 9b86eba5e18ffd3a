"""One run of a sweep: its folder, its command line, and how it stands.

Known on every machine that runs one, so nothing here imports what trains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hf_grok.errors import UserError
from hf_grok.runs.folder import METRICS_FILE, RUN_FILE, checkpoints
from hf_grok.runs.manifest import flaw
from hf_grok.runs.record import recorded

FRESH, INTERRUPTED, FINISHED = "to do", "to go on with", "finished"


@dataclass(frozen=True)
class Job:
    """One run of a sweep: an arm at a seed.

    Attributes:
        arm: its name.
        seed: of the run.
        folder: that the run writes.
        words: the command line of hf_grok.train, apart from --from-checkpoint and --resume.
        data: what decides which data are read, as text: equal for runs that read the same.
        last: the run's last step.
        branch: the checkpoint it goes on from; None for a run from the beginning.
        step: of that checkpoint, 0 for none.
        reset_optimizer: whether the optimiser's moments start afresh there.
        on_cpu: whether it leaves accelerators alone, where there are any.
        packages: other package -> version, of those that bring its recipe, language and probes.
    """

    arm: str
    seed: int
    folder: Path
    words: tuple[str, ...]
    data: str
    last: int
    branch: Path | None = None
    step: int = 0
    reset_optimizer: bool = False
    on_cpu: bool = False
    packages: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """ARM-seedS, by which a run is known."""
        return self.folder.name

    @property
    def parent(self) -> str | None:
        """Key of the run that it branches off."""
        return None if self.branch is None else self.branch.parent.name

    def command(self) -> tuple[str, ...]:
        """The whole command line of hf_grok.train, as the run stands now."""
        words = list(self.words)
        # A branch that has written its run.json knows where it came from.
        if self.branch is not None and not (self.folder / RUN_FILE).is_file():
            words += ["--from-checkpoint", str(self.branch)]
            words += ["--reset-optimizer"] if self.reset_optimizer else []
        if self.state() == INTERRUPTED:
            words.append("--resume")
        return tuple(words)

    def state(self) -> str:
        """FRESH, INTERRUPTED (also by an error) or FINISHED, by what lies in the folder."""
        if (info := recorded(self.folder)) is not None:
            return FINISHED if info.get("status") == "finished" else INTERRUPTED
        begun = (self.folder / METRICS_FILE).is_file() or checkpoints(self.folder)
        return INTERRUPTED if begun else FRESH

    def check_branch(self) -> None:
        """Refuse to start from a checkpoint that is not there or not whole.

        Raises:
            UserError: names the checkpoint, and how it comes to be.
        """
        wrong = None if self.branch is None else flaw(self.branch)
        if wrong is not None:
            raise UserError(
                f"{self.key} goes on from {self.branch}, which cannot be used: {wrong}. A run that "
                "was finished before an arm branched off it has not saved that step: remove "
                f"{self.branch.parent if self.branch else ''} and start the sweep again"
            )
