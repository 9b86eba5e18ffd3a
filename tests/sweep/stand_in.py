"""`python -m tests.sweep.stand_in LOG KEY SECONDS STATUS`: a process that notes when it ran."""

import sys
import time

if __name__ == "__main__":
    log, key, seconds, status = sys.argv[1:]
    with open(log, "a") as file:
        file.write(f"begin {key}\n")
    print(f"{key} says something")
    time.sleep(float(seconds))
    with open(log, "a") as file:
        file.write(f"end {key}\n")
    sys.exit(int(status))
