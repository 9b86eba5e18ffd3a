"""What probes look at: lines and words as tokens, what is predicted, the model out of wrappers."""
