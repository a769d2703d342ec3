"""Metrics and inference: arrays and tables in, numbers out."""
