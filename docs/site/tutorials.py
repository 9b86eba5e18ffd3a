"""Run the tutorials and write each notebook beside its source.

    python docs/site/tutorials.py                 # or `make tutorials`: all of them, in their order
    python docs/site/tutorials.py NAME...         # these
    python docs/site/tutorials.py --text NAME...  # run nothing: prose alone has changed

The sources are docs/tutorials/*.py, in jupytext's percent format; the notebooks carry what their
cells gave. A cell that fails ends it, and leaves the notebook of before. It takes some minutes.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "tutorials"
# In this order: the last one reads the run of the first.
NAMES = ("probes_in_your_trainer", "suppress_and_release", "series_to_statistics")
# The kernel's: what bars and libraries say on the way is no result.
QUIET = {
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TQDM_DISABLE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "OMP_WAIT_POLICY": "PASSIVE",
}


def executed(notebook: Any) -> Any:
    """A notebook with what its cells give, in a new kernel whose folder is the tutorials' own.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    resources = {"metadata": {"path": str(FOLDER)}}
    NotebookClient(notebook, timeout=None, resources=resources).execute()
    return notebook


def with_outputs_of(notebook: Any, before: Any) -> Any:
    """A notebook with what the same cells gave before.

    Raises:
        SystemExit: its code is not what was run.
    """
    code, ran = (
        [cell for cell in one.cells if cell.cell_type == "code"] for one in (notebook, before)
    )
    if [cell.source for cell in code] != [cell.source for cell in ran]:
        raise SystemExit("its code has changed: run it, without --text")
    for cell, old in zip(code, ran, strict=True):
        cell.outputs, cell.execution_count = old.outputs, old.execution_count
    return notebook


def tidied(notebook: Any) -> Any:
    """Without times, identities and versions, and without what libraries say beside the results."""
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
    for number, cell in enumerate(notebook.cells):
        cell.id = str(number)
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
    return notebook


def main() -> None:
    """Write the notebooks that are asked for."""
    parser = argparse.ArgumentParser(description="Run the tutorials and write their notebooks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--text", action="store_true", help="run nothing, keep the outputs")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no tutorial: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    os.environ.update(QUIET)
    for name in options.names or NAMES:
        path = FOLDER / f"{name}.ipynb"
        notebook = jupytext.read(FOLDER / f"{name}.py")
        if options.text:
            notebook = with_outputs_of(notebook, nbformat.read(path, as_version=4))
        else:
            notebook = executed(notebook)
        nbformat.write(tidied(notebook), path)
        print(f"written: {path.name}")


if __name__ == "__main__":
    main()
