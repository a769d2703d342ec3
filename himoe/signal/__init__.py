"""F1: signals in, features out. Pure functions; no files, no config."""
