"""A language as a folder of Parquet files with its card, and the same on the Hub."""
