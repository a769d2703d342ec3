"""F2 plug-ins: one file a model (Config and build, or Config, fit and predict). They never import one another."""
