"""Reference replication of Hi-MoE (arXiv 2508.02133).

The package is layered in floors; imports point down only (tests/test_floors.py):
F0 config, registry, provenance, types, io, job · F1 signal, nn, stats · F2 datasets, models, perturb
· F3 intake, preprocess, splits, guards, training, predict, audit, score · F4 figures, tables, report, crate
· F5 workflow/scripts.
"""

__version__ = "0.1.0"
