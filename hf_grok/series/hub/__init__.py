"""A series on the Hub: the repository, pushing, what is there already, trying again."""
