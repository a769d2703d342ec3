"""F1: metrics and inference. Arrays in, numbers out."""
