"""Mean rating of a stimulus where some people gave none, worked by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from himoe.data.rows import Rows
from himoe.models import stimulus_mean


def rated(y, stimulus, subject):
    n = len(y)
    x, names = np.zeros((n, 1)), (np.array(stimulus, object), np.array(subject, object))
    return Rows(x, np.ones((n, 1)), *names, np.zeros(1, int), x, y=np.array(y, float))


@pytest.mark.parametrize(
    ("shrinkage", "film", "song"),
    # Overall: (1 + 4 + 1) / 3 = 2 and (2 + 2 + 8) / 3 = 4. Film, first target: b has no label, so (1 + k 2) / (1 + k); second:
    # ((2 + 2) / 2 + 8 + k 4) / (2 + k). Song, first target: (4 + 1) / 2 = 2.5 of c alone; second: none at all, the mean.
    [(0.0, [1.0, 5.0], [2.5, 4.0]), (1.0, [1.5, 14 / 3], [2.25, 4.0])],
)
def test_a_person_without_a_label_has_no_part_in_the_mean(shrinkage, film, song):
    nan = np.nan
    y = [[1, 2], [nan, 2], [nan, 8], [4, nan], [1, nan]]
    train = rated(y, ["film", "film", "film", "song", "song"], ["a", "a", "b", "c", "c"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        state = stimulus_mean.fit(train, stimulus_mean.Config(shrinkage=shrinkage), 0)
    predicted = stimulus_mean.predict(state, rated(np.zeros((3, 2)), ["film", "song", "new"], ["z", "z", "z"]))
    np.testing.assert_allclose(predicted, [film, song, [2.0, 4.0]])
