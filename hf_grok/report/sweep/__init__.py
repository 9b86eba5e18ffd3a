"""The report of a sweep: arms beside each other, and compared."""
