"""What is tested across is settled before any job: who, by which models, and whether both data sets can be read alike."""

from __future__ import annotations

import pytest

from himoe.config import transfer
from himoe.config.load import load_config
from himoe.types import HimoeError

COMMON = {"common": {"deap_twin": {"common_with": "dreamer_twin"}, "dreamer_twin": {"common_with": "deap_twin"}}}
RUN = {
    "datasets": ["deap_twin", "dreamer_twin"], "variants": COMMON, "transfer": {"deap_twin-common": ["dreamer_twin-common"]},
    "models": ["ridge", "eegnet", "himoe"], "ablations": {"flat": {"hierarchy": "flat"}}, "conditions": {},
    "controls": {"noise_physiology": ["ridge"]},
}  # fmt: skip
PLANTED = {
    "datasets": ["planted-x.0", "planted-x.1"], "planted": {"x": {}}, "variants": {},
    "transfer": {"planted-x.0": ["planted-x.1"]},
}  # fmt: skip


def load(**changes):
    return load_config(RUN | changes)


def test_modalities_are_those_of_both():
    config = load()
    assert config.modalities_of("deap_twin-common") == config.modalities_of("dreamer_twin-common") == ("eeg",)
    assert len(config.modalities_of("deap_twin")) == 7
    assert config.preparation_of("deap_twin-common")["common_with"] == "dreamer_twin"
    assert "common_with" not in config.preparation_of("deap_twin")  # or everything would be prepared again
    assert not config.variant("deap_twin-common").is_other_choice


def test_who_is_tested_across():
    """Models that compete and read features, where people are kept apart."""
    config = load(protocols=["loso", "trial_kfold"])
    assert transfer.models_across(config, "deap_twin-common", "loso") == ["ridge", "himoe"]
    assert transfer.models_across(config, "deap_twin-common", "trial_kfold") == []
    assert transfer.tested_across(config) == [("deap_twin-common", "dreamer_twin-common", "loso", ["ridge", "himoe"])]
    assert transfer.tested_across(load(transfer={})) == []


def test_what_can_be_read_alike_needs_no_variant():
    load(**PLANTED)
    load(transfer={"deap_twin-common": ["dreamer_twin"]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"transfer": {"deap_twn": ["dreamer_twin"]}}, "transfer: there is no 'deap_twn'; did you mean 'deap_twin'"),
        ({"transfer": {"deap_twin-common": ["dreamr_twin"]}}, r"transfer\.deap_twin-common: there is no 'dreamr_twin'; did"),
        ({"transfer": {"deap_twin-common": ["dreamer_twin", "dreamer_twin"]}}, "dreamer_twin appears twice"),
        ({"transfer": {"deap_twin-common": ["deap_twin"]}}, "the same recordings; name a data set of other people"),
        (
            {"transfer": {"deap_twin": ["dreamer_twin"]}},
            r"it has not the features of eeg; write variants: \{common: \{deap_twin: \{common_with: dreamer_twin\}\}\} and "
            r"transfer: \{deap_twin-common: \[dreamer_twin\]\}",
        ),
        ({"targets": {"deap_twin": ["valence"]}}, "its targets are valence, arousal, not valence; set `targets`"),
        ({"protocols": ["trial_kfold"]}, "no model that reads features is fitted there under a protocol that"),
        ({"models": ["eegnet"], "ablations": {}, "controls": {}}, "no model that reads features"),
        ({"variants": {"common": {"deap_twin": {"common_with": "dremer"}}}, "transfer": {}}, "there is no 'dremer'; did"),
        (
            {"datasets": ["deap_twin", "esports_twin"], "transfer": {},
             "variants": {"common": {"esports_twin": {"common_with": "dreamer_twin"}}}},
            "common_with: 'dreamer_twin' has no modality of the same name",
        ),
        (
            {"datasets": ["deap_twin", "ceap_twin"], "variants": {"common": {"deap_twin": {"common_with": "ceap_twin"}}},
             "transfer": {"deap_twin-common": ["ceap_twin"]}},
            r"its token_rate is 1\.0, not 2\.0",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(changes, message):
    with pytest.raises(HimoeError, match=message) as error:
        load(**changes)
    assert "\n" not in str(error.value)
