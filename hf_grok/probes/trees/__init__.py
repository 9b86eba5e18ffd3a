"""Tree projection: the probe, spans seen alone, charts, baselines."""
