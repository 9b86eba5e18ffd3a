"""What every builder of `datasets` shares: splits, rows of task sentences, the key of its cache."""
