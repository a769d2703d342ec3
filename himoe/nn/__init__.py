"""Building blocks of the torch models: tensors in, tensors out; no files, no config."""
