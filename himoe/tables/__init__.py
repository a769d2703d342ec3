"""Plug-ins: one file a table (TITLE, SECTION, NEEDS, make). The docstring is the caption."""
