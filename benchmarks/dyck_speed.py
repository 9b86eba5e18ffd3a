"""Time of drawing, annotating and writing the published Dyck-(20, 10) data: 200,000 strings.

Run `python benchmarks/dyck_speed.py`; it prints one line a stage, in
seconds of processor time on one core.
"""

from __future__ import annotations

import tempfile
import time

from hf_grok.datasets_scripts import Dyck


def main() -> None:
    with tempfile.TemporaryDirectory() as cache:
        builder = Dyck(
            "k20-m10", validation_size=0, test_size=0, generalization_size=0, cache_dir=cache
        )
        start = time.process_time()
        strings = len(builder.training.texts)
        drawn = time.process_time()
        builder.download_and_prepare()
        written = time.process_time()
    print(f"draw      {strings:,} distinct strings: {drawn - start:6.1f} s")
    print(f"annotate and write as Arrow:     {written - drawn:6.1f} s")
    print(f"together                         {written - start:6.1f} s")


if __name__ == "__main__":
    main()
