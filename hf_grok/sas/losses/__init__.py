"""Language-model losses that are the same however a batch is cut up."""
