"""The results of a sweep: the table that is kept while it runs, and pushing it to the Hub."""
