"""What all conditions of config/paper.yaml and subsets.yaml cost beside the fit, on a twin of DEAP: one person unseen, networks
of the default run's width trained as long as the trainer's defaults say. Figures are CPU seconds."""

from __future__ import annotations

import time

import pytest
import yaml

from himoe import io, registry
from himoe.config.load import load_config
from himoe.data import intake
from himoe.data.prepare import prepare_subject
from himoe.data.twins import synthesize
from himoe.evaluate.conditions import Conditions
from himoe.types import Tokens
from tests.conftest import ROOT
from tests.train.fits import fit, folds, predict, stored

LINE = 0.25  # of the fit, for a network
MS_A_CASE = 20  # for an estimator, whose fit takes no time to speak of
TWIN, NONE = "deap_twin", Conditions({}, 7)
OPTIONS = {"himoe": {"width": 16}, "late_fusion": {"width": 16}}


@pytest.fixture(scope="module")
def config():
    files = [yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()) for name in ("paper", "subsets")]
    return load_config({"datasets": [TWIN], "conditions": files[0]["conditions"] | files[1]["conditions"]})


@pytest.fixture(scope="module")
def tokens(config, tmp_path_factory) -> Tokens:
    root, size = tmp_path_factory.mktemp("twin"), config.size(TWIN)
    plugin = registry.load("datasets", "deap")
    synthesize("deap", root, size, plugin.INFO.editions[0].name, config.twin.snr, 0)
    io.write_json(root / "manifest.json", intake.take_in(TWIN, intake.find(TWIN, root), size, root / "unpacked"))
    people = []
    for subject in size.subjects:
        trials = plugin.read(*intake.read_manifest(root / "manifest.json", subject), size)
        people.append(prepare_subject(plugin.INFO, trials, config.targets_of(TWIN), config.feature_options(TWIN))[0])
    return Tokens.concatenate(people)


def seconds(task) -> tuple[float, object]:
    started = time.process_time()
    done = task()
    return time.process_time() - started, done


@pytest.mark.parametrize("model", ["himoe", "late_fusion", "ridge", "boosting"])
def test_g9_all_conditions_beside_a_fit(model, config, tokens, tmp_path):
    grid = Conditions(config.conditions_of(TWIN, "loso"), config.condition_seed)
    split, options = folds(tokens, "loso", tmp=tmp_path)[0], OPTIONS.get(model)
    more = {"settings": config.training, "protocol": "loso"}
    fitting, fitted = seconds(lambda: fit(model, tokens, split, options, **more))
    states = stored(fitted)
    clean, _ = seconds(lambda: predict(model, tokens, [split], states, options, NONE, **more))
    whole, (rows, _) = seconds(lambda: predict(model, tokens, [split], states, options, grid, **more))
    n = len(rows[["condition", "severity"]].drop_duplicates()) - 1
    print(f"\nG9 {model}: fit {fitting:.1f} s, prediction {clean:.2f} s clean, {whole:.2f} s with {n} cases, ", end="")
    print(f"{(whole - clean) / fitting:.0%} of the fit, {1e3 * (whole - clean) / n:.1f} ms a case ", end="")
    print(f"(line {LINE:.0%})" if registry.is_network(model) else f"(line {MS_A_CASE} ms)")
    assert whole - clean < (LINE * fitting if registry.is_network(model) else n * MS_A_CASE / 1e3)
