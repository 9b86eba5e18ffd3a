"""Where the attention on arcs comes from: chosen, proven, captured where the model computes it."""
