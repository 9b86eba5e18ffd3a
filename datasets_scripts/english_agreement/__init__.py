"""A fragment of English with agreement: lexicon, rules, sampling, paradigms of minimal pairs."""
