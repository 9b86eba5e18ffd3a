"""The data loaders of a Trainer whose collator makes batches with arcs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.utils.data import DataLoader
from transformers import Trainer

from hf_grok.measurement.shares import RealRows, shared_evenly
from hf_grok.sas.batches.epoch_rows import EpochRows

if TYPE_CHECKING:
    _Base = Trainer
else:
    _Base = object


class Loaders(_Base):
    """Columns that the collator reads are kept, rows know their number, loaders their rows."""

    args: Any
    train_dataset: Any
    eval_dataset: Any
    data_collator: Any
    _signature_columns: Any

    _real_rows: RealRows | None = None

    def __init__(self, *positional: Any, **named: Any) -> None:
        self._evaluated_rows: dict[str, Any] = {}
        super().__init__(*positional, **named)

    def _set_signature_columns_if_needed(self) -> None:
        """Keep the columns that the collator reads: Trainer drops what the model does not take."""
        super()._set_signature_columns_if_needed()
        kept = getattr(self.data_collator, "columns", ())
        self._signature_columns += [name for name in kept if name not in self._signature_columns]

    def get_train_dataloader(self) -> DataLoader:
        """Trainer's, over rows that know their number and epoch where the collator asks for them.

        Masks drawn from these are a function of the row and the epoch, so a resumed run repeats
        them; drawn from the global generator they would not be.
        """
        self.train_dataset = self._numbered(self.train_dataset)
        with shared_evenly(self.accelerator, self.train_dataset):
            loader = super().get_train_dataloader()
        self._real_rows = RealRows(loader, self.accelerator)
        return loader

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader:
        """Trainer's, over rows that stay at one epoch: the same tokens are masked each time.

        With persistent workers Trainer keeps one loader a name, and one for all that has no name:
        here, a loader that was kept for other rows is made anew.
        """
        named = isinstance(eval_dataset, str)
        rows = self.eval_dataset if eval_dataset is None else eval_dataset
        rows = self._numbered(self.eval_dataset[rows] if named else rows, True)
        if named and rows is not self.eval_dataset[eval_dataset]:
            self.eval_dataset = {**self.eval_dataset, eval_dataset: rows}
        self._forget_loader_of_others(eval_dataset if named else "eval", rows)
        with shared_evenly(self.accelerator, rows):
            return super().get_eval_dataloader(eval_dataset if named else rows)

    def _forget_loader_of_others(self, name: str, rows: Any) -> None:
        own = rows.dataset if isinstance(rows, EpochRows) else rows
        if self._evaluated_rows.get(name) is not own:
            getattr(self, "_eval_dataloaders", {}).pop(name, None)
            self._evaluated_rows[name] = own

    def get_test_dataloader(self, test_dataset: Any) -> DataLoader:
        """Trainer's, likewise."""
        rows = self._numbered(test_dataset, True)
        with shared_evenly(self.accelerator, rows):
            return super().get_test_dataloader(rows)

    def _numbered(self, rows: Any, fixed: bool = False) -> Any:
        """Rows that know their number and epoch, where the collator asks for that."""
        needed = getattr(self.data_collator, "needs_epoch", False)
        told = hasattr(rows, "set_epoch") and hasattr(rows, "__len__")
        return EpochRows(rows, fixed=fixed) if needed and rows is not None and not told else rows
