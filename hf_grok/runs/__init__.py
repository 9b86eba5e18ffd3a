"""hf_grok.runs: the folder of a run, written and read: its record, tables, checkpoints, steps."""
