"""Plug-ins: one file a condition. ``apply`` perturbs one trial (severity 0 is the identity), ``margin`` says how many tokens of
each of its ends are not scored.

Two literals tell the check of the config which severities are possible: ``LIMITS = (0, 1)``, the smallest and the largest, and
``WHOLE_TOKENS = True``, seconds that must be a whole number of tokens. It calls ``margin``, too, without the rest of the file.
"""
