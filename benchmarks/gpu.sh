#!/usr/bin/env bash
# Everything that waits for a GPU, in eight minutes at most, beside its plain counterpart in the same
# run: the CUDA tests of fused arcs and of flex attention, arc attention, attention probes, a training
# step, tree projection. Writes one JSON (build/gpu.json). It has not run on a GPU yet.
#
#   benchmarks/gpu.sh                   # on the GPU
#   benchmarks/gpu.sh --dry-run         # what it would run, and for how long at most
#   benchmarks/gpu.sh --device cpu      # the same parts on tiny models, to see that they work
set -euo pipefail
cd "$(dirname "$0")/.."
exec "${PYTHON:-python}" benchmarks/gpu.py "$@"
