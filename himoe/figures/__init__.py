"""F4 plug-ins: one file a figure (TITLE, NEEDS, draw). The docstring is the caption."""
