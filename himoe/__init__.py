"""Reference replication of Hi-MoE (arXiv 2508.02133).

Folders are the stages of the work: config, data, splits, train, evaluate, report. Beside them stand the plug-ins (datasets,
models, conditions, controls, figures, tables), the mathematics (signal, nn, stats: arrays in, arrays out), the library
(what people take home: trained models as bundles, recordings of their own, predictions of these) and the commands.
Imports point down one total order of these rooms, which tests/test_floors.py holds.
"""

__version__ = "0.2.0"
