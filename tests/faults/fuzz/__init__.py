"""Mutated genuine files against every reader: refused in one line, or read as values that make sense."""
