"""Plug-ins: one file per data set (INFO, records, read, synthesize). They never import one another."""
