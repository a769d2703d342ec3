"""Plug-ins: one file a data set (INFO, records, read, synthesize). They never import one another."""
