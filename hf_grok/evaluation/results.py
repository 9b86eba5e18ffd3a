"""The results file: one row per (revision, probe, metric), added to and never recomputed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.evaluation.checkpoints import Checkpoint
from hf_grok.evaluation.runner import Probed
from hf_grok.probes import Probe
from hf_grok.runs.folder import write_json
from hf_grok.series.revision_names import STEPS
from hf_grok.text.json_reading import read_object

FORMAT = 1
_ABOUT = {"data", "fingerprint", "options"}
_ROW = {"revision": str, "identity": str, "probe": str, "version": int}


class ProbeResults:
    """What has been measured so far, in a JSON file that is whole after every probe.

    Args:
        path: of the file; read if it is there.
        model: what is probed.
        probes: probe -> {"data", "fingerprint", "options"}: what it looks at, and how; and the
            "annotation_scheme" of its data where that is known.

    Raises:
        UserError: the file is no results file, or holds results of another model, or of a probe
            over other data or with other options.
    """

    def __init__(self, path: Path, model: str, probes: Mapping[str, Mapping[str, Any]]) -> None:
        self.path = path
        self._content: dict[str, Any] = {
            "format": FORMAT,
            "model": model,
            "probes": {},
            "rows": [],
            "failures": [],
            "pictures": [],
        }
        if path.is_file():
            self._content = self._read(model)
        self._there = {_key_of(row) for row in self._content["rows"]}
        before = dict(self._content["probes"])
        for probe, about in probes.items():
            self._claim(probe, dict(about))
        if self._there and self._content["probes"] != before:
            self._write()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dict per (revision, probe, metric): step, version, identity and value too."""
        return list(self._content["rows"])

    @property
    def failures(self) -> list[dict[str, Any]]:
        """One dict per (revision, probe) that failed, with the reason; tried again next time."""
        return list(self._content["failures"])

    def has(self, checkpoint: Checkpoint, probe: str, version: int) -> bool:
        """Whether this probe's numbers for this content of this revision are there."""
        return _key(checkpoint, probe, version) in self._there

    def add(self, checkpoint: Checkpoint, probe: Probe, probed: Probed) -> None:
        """Write one probe's outcome, in the place of an earlier one of the same revision."""
        place = (checkpoint.revision, probe.name)
        for kind in ("rows", "failures", "pictures"):
            self._content[kind] = [
                row for row in self._content[kind] if (row["revision"], row["probe"]) != place
            ]
        about = {
            "revision": checkpoint.revision,
            **_place(checkpoint),
            "identity": checkpoint.identity,
            "probe": probe.name,
            "version": probe.version,
        }
        if probe.name in probed.failures:
            self._content["failures"].append({**about, "reason": probed.failures[probe.name]})
        else:
            self._content["rows"] += [
                {**about, "metric": name, "value": float(value)}
                for name, value in probed.numbers.items()
            ]
            if probe.name in probed.pictures:
                picture = probed.pictures[probe.name]
                self._content["pictures"].append({**about, "picture": picture})
        self._there = {_key_of(row) for row in self._content["rows"]}
        self._write()

    def _claim(self, probe: str, about: dict[str, Any]) -> None:
        """Remember a probe's data and options, which must be those of an earlier time.

        What else is known of its data, such as their annotation scheme, may be known since.
        """
        earlier = self._content["probes"].get(probe, about)
        for key, what in (("fingerprint", "data"), ("options", "options")):
            if earlier[key] != about[key]:
                raise UserError(
                    f"{self.path} has results of probe {probe!r} with other {what} "
                    f"({earlier[what]}, now {about[what]}): write these elsewhere with --out"
                )
        self._content["probes"][probe] = about

    def _read(self, model: str) -> dict[str, Any]:
        try:
            content = read_object(self.path, nonfinite=True)
            right = content["format"] == FORMAT and _is_whole(content)
        except (UserError, KeyError):
            right = False
        if not right:
            raise UserError(f"{self.path} is no file of probe results: name another with --out")
        if not self._is_of(model, content["model"]):
            raise UserError(
                f"{self.path} has the results of {content['model']}, not of {model}: name another "
                "file with --out"
            )
        return {**content, "model": model}

    def _is_of(self, model: str, named: str) -> bool:
        """Whether a model is the one that the file names; a folder may be called by other words.

        A file that lies in the folder has moved with it: what is another model there is told by
        the identity of its weights.
        """
        if named == model:
            return True
        folder = Path(model)
        if not folder.is_dir():
            return False
        return folder.resolve() in (self.path.resolve().parent, Path(named).resolve())

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.path, self._content)


def _place(checkpoint: Checkpoint) -> dict[str, Any]:
    """Its step; of a name that counts something else, what and how many: those are no steps."""
    if checkpoint.unit == STEPS:
        return {"step": checkpoint.step}
    return {"step": None, "place": checkpoint.step, "unit": checkpoint.unit}


def _is_whole(content: Mapping[str, Any]) -> bool:
    """Whether everything is there that is looked up later, in the right kind."""
    lists = [content.get(kind) for kind in ("rows", "failures", "pictures")]
    probes = content.get("probes")
    return (
        isinstance(content.get("model"), str)
        and isinstance(probes, dict)
        and all(isinstance(one, dict) and one.keys() >= _ABOUT for one in probes.values())
        and all(isinstance(rows, list) for rows in lists)
        and all(_is_row(row) for rows in lists for row in rows or ())
    )


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and all(
        isinstance(row.get(name), kind) for name, kind in _ROW.items()
    )


def _key(checkpoint: Checkpoint, probe: str, version: int) -> tuple[Any, ...]:
    return (checkpoint.revision, checkpoint.identity, probe, version)


def _key_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["revision"], row["identity"], row["probe"], row["version"])
