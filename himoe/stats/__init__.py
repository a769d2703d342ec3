"""Metrics and inference: arrays and tables in, numbers out."""

from typing import TYPE_CHECKING

from himoe.lazy import exports

HOMES = {
    "compare": "himoe.library.comparison:compare",
    "holm": "himoe.stats.inference:holm",
    "interval": "himoe.stats.intervals:interval",
    "judge": "himoe.library.comparison:judge",
    "tost": "himoe.stats.equivalence:tost",
}
__all__ = [*HOMES]

if TYPE_CHECKING:
    from himoe.library.comparison import compare as compare
    from himoe.library.comparison import judge as judge
    from himoe.stats.equivalence import tost as tost
    from himoe.stats.inference import holm as holm
    from himoe.stats.intervals import interval as interval
else:
    __getattr__, __dir__ = exports(__name__, HOMES)
