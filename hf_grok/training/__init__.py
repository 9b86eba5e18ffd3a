"""One run: from a recipe and a command line to a trained model and the record of its training."""
