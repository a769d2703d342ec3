"""Fewer people to learn from, the same to test on: by hand, nested, and nobody that the fold may not read."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from himoe.config.protocols import PROTOCOLS
from himoe.config.sections import Splits
from himoe.splits import guards
from himoe.splits.fewer import fewer_people
from himoe.splits.files import read_splits
from himoe.splits.make import make_splits
from himoe.types import HimoeError, Split
from tests.conftest import make_tokens

APART = [name for name, protocol in PROTOCOLS.items() if protocol.independent]


def keys(*people, trials=2):
    return {(person, f"t{i}"): f"{person}{i}" for person in people for i in range(trials)}


def people(part):
    return {subject for subject, _ in part}


# Nine people to learn from, three of them to validate on: 2 -> 1 + 1 (a third of 2 is .67), 3 -> 2 + 1, 5 -> 3 + 2 (1.67),
# 6 -> 4 + 2, 8 -> 5 + 3 (2.67).
WHOLE = Split(3, keys(*"abcdef"), keys(*"uvw"), keys("z"))


@pytest.mark.parametrize(("n", "train", "valid"), [(2, 1, 1), (3, 2, 1), (5, 3, 2), (6, 4, 2), (8, 5, 3)])
def test_validation_keeps_its_share(n, train, valid):
    fewer = fewer_people(WHOLE, n)
    assert (len(people(fewer.train)), len(people(fewer.valid))) == (train, valid)
    assert len(fewer.train) == 2 * train  # every trial of who is in
    assert fewer.test == WHOLE.test
    assert fewer.train.items() <= WHOLE.train.items()
    assert fewer.valid.items() <= WHOLE.valid.items()


def test_all_people_are_the_fold_itself():
    assert fewer_people(WHOLE, 0) is WHOLE


def test_one_trains_where_nearly_all_validate():
    """Of ten people nine validate: nine tenths of 2 are 1.8, and 2 would leave nobody to train on."""
    split = Split(0, keys("a"), keys(*"bcdefghij"), keys("z"))
    fewer = fewer_people(split, 2)
    assert (len(people(fewer.train)), len(people(fewer.valid))) == (1, 1)


@pytest.mark.parametrize("protocol", APART)
def test_who_is_among_few_is_among_more_and_folds_differ(protocol, tmp_path):
    frame = make_splits(protocol, list(make_tokens(12, 6).trials), Splits(n_folds=4, n_stimulus_folds=2))
    frame.to_csv(tmp_path / "splits.csv", index=False)
    splits = read_splits(tmp_path / "splits.csv")
    for split in splits:
        some = [fewer_people(split, n) for n in range(2, len(people(split.train | split.valid)))]
        for few, more in pairwise(some):
            assert few.train.items() <= more.train.items()
            assert few.valid.items() <= more.valid.items()
        for fewer in some:
            guards.check_split(fewer, protocol)
    drawn = [frozenset(people(fewer_people(split, 2).train)) for split in splits]
    assert len(set(drawn)) > 1


@pytest.mark.parametrize("n", [1, 9, 20])
def test_too_few_people_is_one_line(n):
    with pytest.raises(HimoeError, match=rf"fold 3 has 9 people to learn from, {n} of whom were asked for"):
        fewer_people(WHOLE, n)


def test_people_on_both_sides_cannot_be_counted():
    with pytest.raises(HimoeError, match="people to learn from"):
        fewer_people(replace(WHOLE, valid=keys("a", "v")), 3)


def test_a_trial_from_elsewhere_is_refused():
    fewer = fewer_people(WHOLE, 5)
    guards.check_within(fewer, WHOLE)
    with pytest.raises(HimoeError, match="fold 3: z t0 is not in its train part"):
        guards.check_within(replace(fewer, train=fewer.train | keys("z", trials=1)), WHOLE)
    with pytest.raises(HimoeError, match="is not in its valid part"):
        guards.check_within(replace(fewer, valid=fewer.train), WHOLE)
    with pytest.raises(HimoeError, match="tests others than the whole fold"):
        guards.check_within(replace(fewer, test={}), WHOLE)
