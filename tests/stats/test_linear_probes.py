"""Linear probes: by hand, on what was planted, and on noise, in which none is above its null."""

from __future__ import annotations

import numpy as np

from himoe.stats import linear_probes
from himoe.stats.linear_probes import NONE, Represented, smoother

N_CLIPS = 8


def folds_of(represent, n_people=18, n_tested=1, n_validation=5, width=6):
    """People who each met every clip, tested so many at a time. ``represent``: of (generator, rating, clip, person) ->
    (width,). A network turns what it represents in directions of its own. Returns folds, ratings (a clip's own and a person's
    departure from it), subjects and stimuli."""
    world = np.random.default_rng(99)
    y = world.standard_normal(N_CLIPS) + world.standard_normal((n_people, N_CLIPS))
    trials = np.arange(n_people * N_CLIPS).reshape(n_people, N_CLIPS)
    content = np.array([[represent(world, y[i, j], j, i) for j in range(N_CLIPS)] for i in range(n_people)])
    folds = []
    for first in range(0, n_people, n_tested):
        turn = np.linalg.qr(np.random.default_rng(first).standard_normal((width, width)))[0]
        people = np.arange(first, first + n_tested + n_validation) % n_people
        x = content[people].reshape(-1, width) @ turn
        folds.append(Represented(x, trials[people].ravel(), np.repeat(np.arange(len(people)) < n_tested, N_CLIPS)))
    subject = np.repeat([f"p{i:02d}" for i in range(n_people)], N_CLIPS)
    return folds, y.ravel(), subject, np.tile([f"c{j}" for j in range(N_CLIPS)], n_people)


def noise(rng, rating, clip, person):
    return rng.standard_normal(6)


def probes(folds, y, subject, stimulus):
    return {
        "rating": linear_probes.rating(folds, y, subject),
        "beyond": linear_probes.rating_beyond(folds, y, subject, stimulus),
        "clip": linear_probes.clip(folds, stimulus, subject),
        "person": linear_probes.person(folds, subject),
    }


def test_noise_tells_nothing():
    for name, found in probes(*folds_of(noise, n_tested=3)).items():
        assert found.p > 0.05, name
        assert found.value < found.chance_95, name


def test_people_who_are_alike_by_chance_are_so_in_the_null():
    """Left out one by one and fitted on in turn: of 60 draws of noise no more than 5% and what chance adds are below .05."""
    found = []
    for draw in range(60):
        folds, _, subject, stimulus = folds_of(
            lambda rng, *_, d=draw: np.random.default_rng([d, rng.integers(1 << 30)]).random(6), 6
        )
        found.append(linear_probes.clip(folds, stimulus, subject, n_permutations=99).p)
    assert np.mean(np.array(found) <= 0.05) < 0.12
    assert 0.35 < np.mean(found) < 0.65


def test_what_was_planted_is_found_although_each_network_has_directions_of_its_own():
    found = probes(*folds_of(lambda rng, rating, clip, person: 3 * rating * np.eye(6)[0] + rng.standard_normal(6)))
    assert found["rating"].value > 0.7
    assert found["rating"].p < 0.01
    assert found["beyond"].p < 0.01
    assert np.isnan(found["person"].value)  # a fold tests one person


def test_one_that_knows_the_clip_tells_of_the_rating_but_not_beyond_it():
    codes = 4 * np.random.default_rng(5).standard_normal((N_CLIPS, 6))
    found = probes(*folds_of(lambda rng, rating, clip, person: codes[clip] + rng.standard_normal(6)))
    assert found["clip"].value > 0.8
    assert found["rating"].p < 0.01
    assert found["beyond"].p > 0.05
    assert abs(found["clip"].chance - 1 / N_CLIPS) < 0.02


def test_levels_of_people_are_nothing_beyond_the_clip():
    """Clips and levels of SD 1 and 1.5, ratings .5 about them, and a representation that knows the clip alone: of 60 draws no
    more than 5% and what chance adds are below .05. With levels left in 26 are."""
    found = []
    for draw in range(60):
        rng = np.random.default_rng(draw)
        codes, folds = rng.standard_normal((N_CLIPS, 6)), []
        person, clip = np.indices((12, N_CLIPS)).reshape(2, -1)
        y = 1.5 * rng.standard_normal(12)[person] + rng.standard_normal(N_CLIPS)[clip] + 0.5 * rng.standard_normal(len(clip))
        x = codes[clip] + 0.5 * rng.standard_normal((len(clip), 6))
        for fold in range(4):
            at = np.flatnonzero(np.isin(person % 4, [fold, (fold + 1) % 4]))
            folds.append(Represented(x[at], at, person[at] % 4 == fold))
        found.append(linear_probes.rating_beyond(folds, y, person.astype(str), clip.astype(str), 99).p)
    assert np.mean(np.array(found) <= 0.05) < 0.12
    assert 0.35 < np.mean(found) < 0.65


def test_p_of_several_seeds_is_that_of_their_mean():
    """Means 2, then 1, 2.5 and 0 of permutations: one of three is as large, with the trials as they are 2 of 4."""
    one, other = (linear_probes.NONE._replace(n=8, each=np.array(each)) for each in ([1.0, 2, 2, 0], [3.0, 0, 3, 0]))
    found = linear_probes.mean_of([one, other])
    assert (found.value, found.p, found.n) == (2, 0.5, 8)
    assert linear_probes.mean_of([one, NONE]) is NONE


def test_one_that_knows_the_person_tells_of_it():
    codes = 4 * np.random.default_rng(5).standard_normal((18, 6))
    found = probes(*folds_of(lambda rng, rating, clip, person: codes[person] + rng.standard_normal(6), n_tested=3))
    assert found["person"].value > 0.9
    assert found["person"].n == 18 * N_CLIPS
    assert 0.2 < found["person"].chance < 1 / 3  # below: whoever has more trials among those left has fewer to be named
    assert found["clip"].p > 0.05


def test_smoother_by_hand():
    """One column, -1 and 1: x'x = 2, so the slope is (y2 - y1) / (2 + 10); at 1 that much above the mean."""
    weights = smoother(np.array([[-1.0], [1.0]]), np.array([[1.0], [0.0]]))
    np.testing.assert_allclose(weights, [[-1 / 12, 1 / 12], [0, 0]])


def test_what_cannot_be_asked_is_not_answered():
    folds, y, subject, stimulus = folds_of(noise, n_people=6, n_validation=0)
    assert all(found is NONE for found in probes(folds, y, subject, stimulus).values())
    folds, y, subject, _ = folds_of(noise)
    clips_of_their_own = np.arange(len(y)).astype(str)
    assert linear_probes.rating_beyond(folds, y, subject, clips_of_their_own) is NONE
    assert linear_probes.clip(folds, clips_of_their_own, subject) is NONE
    assert linear_probes.rating(folds, np.full_like(y, np.nan), subject) is NONE
