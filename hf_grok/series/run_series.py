"""The series of one run on this disk: its journal and what has been set aside for pushing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeGuard

from hf_grok.runs import folder as run_folders
from hf_grok.runs.epochs import Epoch, Seen
from hf_grok.runs.folder import step_of
from hf_grok.runs.manifest import file_facts, flaw, trainer_state
from hf_grok.runs.notes import read_about
from hf_grok.runs.step import StepValues
from hf_grok.series.card.render import render_step_card
from hf_grok.series.code.agreement import agree_on_code
from hf_grok.series.errors import RefusedStepError, SeriesError
from hf_grok.series.local import staging
from hf_grok.series.local.journal import DONE, Journal, State, StepRecord
from hf_grok.series.local.manifest import CARD_FILE, SERIES_FILE, Manifest
from hf_grok.series.local.safety import SecretScan
from hf_grok.series.local.selection import is_a_model, left_out
from hf_grok.series.local.step_values import Strength, recorded_epoch, values_at
from hf_grok.series.local.unfinished import remove_abandoned, unfinished_folder
from hf_grok.series.naming import RevisionTemplate
from hf_grok.series.step_names import StepNames
from hf_grok.text.files import read_text

SERIES_FOLDER = "series"


class RunSeries:
    """Journal and staged steps below `RUN/series`.

    Args:
        run: the run's folder; the series' own is `series` in it.
        template: names of the branches.
        seen: words or tokens by step, for a template that counts them; None where only the journal
            knows what its steps are called.
        optimizer: the optimiser's state goes along.
        fix: what the published config.json says, from what the checkpoint's says; where it says
            that the model's code is in the revision, the code goes along.
        say: is told which files of checkpoints are not published, each name once.
    """

    def __init__(
        self,
        run: Path,
        template: RevisionTemplate,
        *,
        seen: Seen | None = None,
        optimizer: bool = False,
        fix: staging.FixConfig = dict,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.run, self.folder = run, run / SERIES_FOLDER
        self.template, self.optimizer = template, optimizer
        self.journal = Journal(self.folder)
        self._names = StepNames(template, seen or {}, self.journal)
        self._fix, self._say = fix, say
        self._scan = SecretScan()
        self._told: set[str] = set()

    def check(self) -> None:
        """Refuse a journal that was kept under another template.

        Raises:
            SeriesError: names the branch that is in it and the one that was asked for.
        """
        self._names.check()

    def revision(self, step: int) -> str:
        """The name of the branch of a step: see `StepNames.name`."""
        return self._names.name(step)

    def agree_on_code(self) -> None:
        """Give staged steps their model's code where it is asked for now and was not before.

        Raises:
            SeriesError: steps on the Hub lack it, or steps carry it and it is not asked for.
        """
        agree_on_code(self.folder, self.journal, self._fix)

    def add(self, step: int, source: Path, values: StepValues) -> StepRecord:
        """Journal a saved step, then set it aside. Doing so again changes nothing.

        Raises:
            RefusedStepError: it must not be published; the journal says so too.
            SeriesError: it could not be set aside now, as on a full disk; it can be later.
        """
        revision = self.revision(step)
        self._names.refuse_twice(step, revision)
        record = StepRecord(step, revision, **values.values())
        with self.journal.alone():
            earlier = self.journal.get(step)
            if not _is_set_aside(earlier) and earlier != record:
                self.journal.append(record)
        if _is_set_aside(earlier):
            return self._same_again(earlier, source)
        try:
            with unfinished_folder(self.folder / staging.STAGED_FOLDER, step) as folder:
                staging.gather(source, folder, self.optimizer, self._fix)
                staging.refuse_secrets(folder, source.name, self._scan)
                self._tell_what_stays(source)
                record = replace(record, state=State.STAGED, files=staging.facts_of(folder))
                kept = self._stage(record, folder)
        except RefusedStepError as error:
            return self._not_staged(replace(record, state=State.REFUSED, reason=str(error)), error)
        except OSError as error:
            reason = f"step {step} of {source.parent.name} could not be set aside: {error}"
            later = SeriesError(f"{reason}. It is pushed later if {source} is still there.")
            later.__cause__ = error
            waits = replace(record, state=State.SAVED, files={}, reason=reason)
            return self._not_staged(waits, later)
        if kept.weights != record.weights:
            raise self._mixed(kept, source)
        return kept

    def _tell_what_stays(self, source: Path) -> None:
        if new := [name for name in left_out(source, self.optimizer) if name not in self._told]:
            self._told.update(new)
            self._say(
                f"not published of {source.name}: {', '.join(new)} (a series has the files that a "
                "model or a tokenizer is loaded from, by name, and no code of others)"
            )

    def _stage(self, record: StepRecord, folder: Path) -> StepRecord:
        """Give what was put together its name, unless another process was faster; what counts."""
        staging.describe(folder, record.manifest(), self._card(record, folder, None))
        with self.journal.alone():
            earlier = self.journal.get(record.step)
            if _is_set_aside(earlier):
                return earlier
            self._refuse_twin(record)
            staging.finish(self.folder, record.step, folder)
            return self.journal.append(record)

    def _not_staged(self, record: StepRecord, error: SeriesError) -> StepRecord:
        """Journal why, unless another process has set the step aside in the meantime.

        Raises:
            SeriesError: `error`.
        """
        with suppress(SeriesError), self.journal.alone():  # where it cannot grow, SAVED stands
            earlier = self.journal.get(record.step)
            if _is_set_aside(earlier):
                return earlier
            self.journal.append(record)
        raise error

    def write_card(self, record: StepRecord, repository: str) -> Path:
        """Give a staged step the card that names where it goes; its folder."""
        folder = staging.staged_folder(self.folder, record.step)
        text = self._card(record, folder, repository)
        (folder / CARD_FILE).write_text(text, encoding="utf-8")
        return folder

    def _card(self, record: StepRecord, folder: Path, repository: str | None) -> str:
        return render_step_card(self.run, folder, record, repository)

    def _refuse_twin(self, record: StepRecord) -> None:
        if (other := self.journal.twin(record)) is not None:
            raise RefusedStepError(
                f"{record.revision} has the same weights as {other.revision} (sha256 "
                f"{next(iter(record.weights.values()))[:12]}...): one of the two is not what "
                "its name says, or nothing was learnt between them (a learning rate of 0?)"
            )

    def _same_again(self, earlier: StepRecord, source: Path) -> StepRecord:
        """A step that is journalled already: fine if it is the same one, an error otherwise.

        Once a step is set aside its checkpoint may be rotated away, file by file: what is gone of
        it says nothing.
        """
        for path in source.iterdir() if source.is_dir() else ():
            counts = path.name in earlier.weights or is_a_model(path.name)
            if counts and self._differs(path, earlier):
                raise self._mixed(earlier, source)
        return earlier

    def _differs(self, path: Path, earlier: StepRecord) -> bool:
        staged = staging.staged_folder(self.folder, earlier.step) / path.name
        try:
            linked = staged.is_file() and path.samefile(staged)
            return not linked and file_facts(path).sha256 != earlier.weights.get(path.name)
        except FileNotFoundError:
            return False

    def _mixed(self, earlier: StepRecord, source: Path) -> RefusedStepError:
        return RefusedStepError(
            f"step {earlier.step} is in {self.journal.path} with other weights than those of "
            f"{source}, so two runs are being mixed: a step is published once. Give each run a "
            "folder and a repository of its own."
        )

    def give_up_attempt(self) -> None:
        """Take back what was set aside of an attempt that begins again at step 0, but for step 0.

        Raises:
            SeriesError: a step of it is on the Hub already, where no branch is changed.
        """
        with self.journal.alone():
            for step, record in self.journal.records().items():
                if step == 0 or record.state is State.REFUSED:
                    continue
                if record.state in DONE:
                    raise SeriesError(
                        f"{record.revision} is on the Hub, and training begins again at step 0: "
                        "what follows would be another run's, and is not published. Start anew in "
                        "a folder and a repository of its own, with the smaller batch."
                    )
                staging.take_back(self.folder, step)
                reason = "of an attempt that ran out of memory and began again at step 0"
                self.journal.append(replace(record, state=State.REFUSED, files={}, reason=reason))

    def recover(self) -> None:
        """Go on where a killed process stopped: what was set aside whole counts as staged."""
        remove_abandoned(self.folder / staging.STAGED_FOLDER)
        for record in self.journal.in_state(State.SAVED):
            if (manifest := self._whole(record.step)) is None:
                continue
            with self.journal.alone():
                if self.journal.get(record.step) == record:
                    changes = {"state": State.STAGED, "files": manifest.files, "reason": None}
                    self.journal.update(record.step, **changes)

    def _whole(self, step: int) -> Manifest | None:
        path = staging.staged_folder(self.folder, step) / SERIES_FILE
        if not path.is_file():
            return None
        manifest = Manifest.from_json(read_text(path, error=SeriesError), str(path))
        return None if staging.staged_flaws(self.folder, manifest) else manifest

    def adopt(
        self,
        run: Path,
        last: int | None,
        say: Callable[[str], None],
        strength: Strength | None = None,
    ) -> list[StepRecord]:
        """Set aside the whole checkpoints of a run that the journal does not have yet.

        Args:
            run: folder with `checkpoint-N` in it.
            last: only steps up to this one: those after it belong to a run that was given up.
            say: is told of each one that was passed over, and why.
            strength: of the regulariser in the update before a step; None where only what
                was logged at a step tells it.

        Raises:
            UserError: what the run says of itself is not JSON.
        """
        adopted, epoch = [], recorded_epoch(read_about(self.run))
        for step, folder in checkpoints(run).items():
            record = self.journal.get(step)
            if _is_set_aside(record) or (last is not None and step > last):
                continue
            try:
                if wrong := flaw(folder, any_trainer=True):
                    raise SeriesError(f"{folder.name} is passed over: {wrong}")
                known = _values_of(folder, step, record, epoch, strength)
                adopted.append(self.add(step, folder, known))
            except SeriesError as error:
                say(str(error))
        return adopted


def _is_set_aside(record: StepRecord | None) -> TypeGuard[StepRecord]:
    return record is not None and record.state in (State.STAGED, *DONE)


def checkpoints(run: Path) -> dict[int, Path]:
    """Step -> folder of every `checkpoint-N` of a run, by step."""
    return {step_of(folder): folder for folder in run_folders.checkpoints(run)}


def _values_of(
    folder: Path,
    step: int,
    record: StepRecord | None,
    epoch: Epoch | None,
    strength: Strength | None,
) -> StepValues:
    """From the journal where the run wrote it there, else from Trainer's state and the settings."""
    if record is not None:
        return record
    return values_at(step, trainer_state(folder) or {}, epoch, strength)
