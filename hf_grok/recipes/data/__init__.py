"""What a run of a recipe reads: the language's splits as token sequences, with arcs, in batches."""
