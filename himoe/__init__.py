"""Reference replication of Hi-MoE (arXiv 2508.02133).

What is named here is the public interface, imported when it is first asked for (docs/reference/api.md). Below it, folders are
the stages of the work: config, data, splits, train, evaluate, report. Beside them stand the plug-ins (datasets, models,
conditions, controls, figures, tables), the mathematics (signal, nn, stats: arrays in, arrays out), the library (what people
take home: trained models as bundles, recordings of their own, predictions of these) and the commands. Imports point down one
total order of these rooms, which tests/test_floors.py holds.
"""

from typing import TYPE_CHECKING

from himoe.lazy import exports

__version__ = "0.2.0"
HOMES = {
    "HiMoE": "himoe.library.network:HiMoE",
    "HiMoERegressor": "himoe.library.estimator:HiMoERegressor",
    "HimoeError": "himoe.types:HimoeError",
    "Output": "himoe.types:Output",
    "Split": "himoe.types:Split",
    "Tokens": "himoe.types:Tokens",
    "available": "himoe.registry:available",
    "conditions": "himoe.conditions",
    "features": "himoe.library.features",
    "load": "himoe.library.bundle:load",
    "make_tokens": "himoe.library.arrays:make_tokens",
    "metrics": "himoe.library.metrics",
    "read_recording": "himoe.library.recording:read_recording",
    "read_scores": "himoe.evaluate.score:read_scores",
    "read_tokens": "himoe.data.tokens:read_tokens",
    "simulate": "himoe.library.arrays:simulate",
    "splits": "himoe.splits",
    "stats": "himoe.stats",
}
__all__ = ["__version__", *HOMES]

if TYPE_CHECKING:
    from himoe import conditions as conditions
    from himoe import splits as splits
    from himoe import stats as stats
    from himoe.data.tokens import read_tokens as read_tokens
    from himoe.evaluate.score import read_scores as read_scores
    from himoe.library import features as features
    from himoe.library import metrics as metrics
    from himoe.library.arrays import make_tokens as make_tokens
    from himoe.library.arrays import simulate as simulate
    from himoe.library.bundle import load as load
    from himoe.library.estimator import HiMoERegressor as HiMoERegressor
    from himoe.library.network import HiMoE as HiMoE
    from himoe.library.recording import read_recording as read_recording
    from himoe.registry import available as available
    from himoe.types import HimoeError as HimoeError
    from himoe.types import Output as Output
    from himoe.types import Split as Split
    from himoe.types import Tokens as Tokens
else:  # a typo is an error to a type checker: it must not see that any name may be asked for
    __getattr__, __dir__ = exports(__name__, HOMES)
