"""Batches that carry the arcs of their sentences: encoding, packing, collating, loading."""
