"""F1: parts of torch models. Pure: tensors in, tensors out; no files, no config."""
