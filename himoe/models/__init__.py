"""Plug-ins, one file per model: Config and build (networks), or Config, fit and predict (estimators). They never import one
another."""
