"""F4 plug-ins: one file a table (TITLE, NEEDS, make). The docstring is the caption."""
