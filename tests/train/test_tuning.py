"""What tuning tries, and that each fold keeps what its own validation prefers."""

from __future__ import annotations

import numpy as np
import pytest

from himoe import registry
from himoe.config.sections import Tuning
from himoe.train import tuning
from tests.conftest import make_tokens
from tests.train.fits import SETTINGS, fit, folds


def test_the_configurations_tried():
    plugin = registry.load("models", "late_fusion")
    tried = tuning.candidates(plugin, Tuning(configurations=5))
    assert tried[0] == {}
    assert len({str(t) for t in tried}) == 5
    assert tried == tuning.candidates(plugin, Tuning(configurations=5))
    assert tried != tuning.candidates(plugin, Tuning(configurations=5, seed=1))
    changes = {"training.learning_rate": 0.25, "dropout": 0.3}
    changed = tuning.configuration(plugin, plugin.Config(width=16), SETTINGS, changes)
    assert changed.changes == changes
    assert (changed.model.width, changed.model.dropout) == (16, 0.3)
    assert (changed.training.learning_rate, changed.training.epochs) == (0.25, SETTINGS.epochs)
    assert tuning.candidates(registry.load("models", "train_mean"), Tuning(configurations=5)) == [{}]
    assert tuning.best([0.1, float("nan"), 0.3, 0.3]) == 2
    assert tuning.best([float("-inf"), float("nan")]) == 0


def test_all_networks_try_the_same_shared_values():
    """Dropout and the trainer's values are drawn once; what a plug-in replaces or adds is its own. 40 tries: the 36 shared
    points once, then again with other values of its own."""
    networks = [n for n in registry.available("models") if registry.is_network(n)]
    plugins = [registry.load("models", n) for n in networks]
    tries = [tuning.candidates(plugin, Tuning(configurations=5)) for plugin in plugins]
    for key in tuning.SPACE_OF_NETWORKS:
        drawn = {
            tuple(t[key] for t in tried[1:])
            for tried, p in zip(tries, plugins, strict=True)
            if key not in getattr(p, "SPACE", {})
        }
        assert len(drawn) == 1
        assert len(set(*drawn)) > 1
    himoe = registry.load("models", "himoe")
    many = tuning.candidates(himoe, Tuning(configurations=40))
    assert len({str(t) for t in many}) == 40
    assert len({str({k: t[k] for k in tuning.SPACE_OF_NETWORKS}) for t in many[1:37]}) == 36
    assert len(tuning.candidates(registry.load("models", "late_fusion"), Tuning(configurations=999))) == 1 + 36 * 3


def test_what_the_config_sets_is_not_searched():
    """An ablation keeps what makes it one, and shares everything else with its model."""
    himoe, asked = registry.load("models", "himoe"), Tuning(configurations=4)
    whole, without = (tuning.candidates(himoe, asked, fixed) for fixed in ((), ("affect_weight",)))
    assert [{k: v for k, v in tried.items() if k != "affect_weight"} for tried in whole] == without


@pytest.mark.parametrize("refit", [False, True])
def test_each_fold_keeps_the_configuration_that_its_own_validation_prefers(refit, tmp_path, monkeypatch):
    """Of two learning rates one is far too small to learn anything in 6 epochs: every fold takes the other, and ends with the
    very weights of a fit that knew no other."""
    good, bad = {"training.learning_rate": 5e-3}, {"training.learning_rate": 1e-7}
    monkeypatch.setattr("himoe.train.together.candidates", lambda *_: [bad, good])
    tokens = make_tokens(8, 6)
    settings = SETTINGS.model_copy(update={"epochs": 6, "patience": 6, "refit": refit})
    split = folds(tokens, tmp=tmp_path)[0]
    tuned = fit("late_fusion", tokens, split, {"width": 16}, settings=settings)
    assert tuned.chosen == good
    assert [t["changes"] for t in tuned.tried] == [bad, good]
    assert tuned.tried[1]["valid_ccc"] > tuned.tried[0]["valid_ccc"]
    monkeypatch.setattr("himoe.train.together.candidates", lambda *_: [good])
    alone = fit("late_fusion", tokens, split, {"width": 16}, settings=settings)
    assert all(np.array_equal(tuned.state[n], alone.state[n]) for n in alone.state)


def test_an_estimators_configuration_is_chosen_on_validation_rows(tmp_path, monkeypatch):
    """A penalty so large that nothing is said, against one that fits."""
    good, bad = {"penalties": [1.0]}, {"penalties": [1e12]}
    monkeypatch.setattr("himoe.train.estimators.candidates", lambda *_: [bad, good])
    tokens = make_tokens(8, 6)
    fitted = fit("ridge_token", tokens, folds(tokens, tmp=tmp_path)[0])
    assert fitted.chosen == good
    assert fitted.state["penalty"] == 1.0
