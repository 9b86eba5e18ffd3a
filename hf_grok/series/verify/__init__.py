"""Is every step of a series there, its own, and what it says?"""
