"""Signals in, features out. Pure functions; no files, no config."""
