"""Plug-ins: one file a condition (apply, margin). Severity 0 is the identity."""
