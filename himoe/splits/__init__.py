"""Which trials are trained on, validated on, tested on."""

from typing import TYPE_CHECKING

from himoe.lazy import exports

HOMES = {
    "check_split": "himoe.splits.guards:check_split",
    "make_folds": "himoe.library.folds:make_folds",
    "read_splits": "himoe.splits.files:read_splits",
    "select": "himoe.splits.guards:select",
}
__all__ = [*HOMES]

if TYPE_CHECKING:
    from himoe.library.folds import make_folds as make_folds
    from himoe.splits.files import read_splits as read_splits
    from himoe.splits.guards import check_split as check_split
    from himoe.splits.guards import select as select
else:
    __getattr__, __dir__ = exports(__name__, HOMES)
