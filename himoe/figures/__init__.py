"""Plug-ins: one file a figure (TITLE, SECTION, NEEDS, draw). The docstring is the caption."""
