"""`python -m hf_grok.sweep.held LOCK MODULE ...`: run a module while holding a lock file."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from hf_grok.runs.folder import taken

if __name__ == "__main__":
    lock, module, *words = sys.argv[1:]
    sys.argv = [module, *words]
    with taken(Path(lock), f"{module} is at work already with {lock}"):
        runpy.run_module(module, run_name="__main__", alter_sys=True)
