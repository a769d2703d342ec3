"""Agreement of predictions with ratings, with population moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from himoe.data.door import real_numbers
from himoe.stats.metrics import by_group, ccc, pcc
from himoe.types import HimoeError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

__all__ = ["ccc", "pcc", "per_person"]


def per_person(y_true: ArrayLike, y_pred: ArrayLike, person: ArrayLike, reference: ArrayLike | None = None) -> pd.DataFrame:
    """Every metric of each person: the unit over which models are compared is the person, not the token.

    Parameters
    ----------
    y_true, y_pred
        (n,) ratings and predictions of one target. Rows whose rating is NaN are left out; a NaN among a person's predictions
        makes all of that person's metrics NaN, and ``failed`` 1: nothing is dropped in silence.
    person
        (n,) whose each row is.
    reference
        (n,) or a number: the prediction that skill is measured against, the mean of the training rows. Without it the mean of
        ``y_true``, which no model can know.

    Returns
    -------
    pandas.DataFrame
        A row a person: ``ccc`` (Lin 1989), ``centred_ccc``, ``pcc``, ``rmse``, ``mae``, ``skill`` = 1 - MSE / MSE of the
        reference, ``reference_rmse``, ``constant`` (1 where a prediction does not vary; CCC and PCC are 0 then), ``failed``.

    Raises
    ------
    HimoeError
        If the arrays differ in length or no rating is known.

    Examples
    --------
    Person a is predicted exactly; b with a slope of 1/2 about the same mean: CCC = 2 * 0.5 / (1 + 0.25) = 0.8.

    >>> import himoe
    >>> table = himoe.metrics.per_person([1, 3, 1, 3], [1, 3, 1.5, 2.5], ["a", "a", "b", "b"])
    >>> table["ccc"].to_dict()
    {'a': 1.0, 'b': 0.8}
    """
    import pandas as pd

    true, predicted = (real_numbers(of, "per_person") for of in (y_true, y_pred))
    people = np.asarray(person)
    if not (true.ndim == 1 and true.shape == predicted.shape == people.shape):
        raise HimoeError(f"per_person: shapes {true.shape}, {predicted.shape}, {people.shape}: expected (n,) of each")
    known = np.isfinite(true)
    if not known.any():
        raise HimoeError("per_person: no rating is known")
    against = np.broadcast_to(true[known].mean() if reference is None else real_numbers(reference, "per_person"), true.shape)
    names, group = np.unique(people[known], return_inverse=True)
    found = by_group(group, true[known], predicted[known], against[known])
    return pd.DataFrame(found, pd.Index(names, name="person"))
