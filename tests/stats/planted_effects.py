"""A lead of known size, planted at the level of scores and judged as a run is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import yaml

from himoe import registry
from himoe.config.load import load_config
from himoe.names import STUDIED, model_variant
from himoe.report.evidence import Evidence
from himoe.report.judge import judge_all
from himoe.stats.characteristics import Design, assumed, characteristics
from tests.conftest import ROOT
from tests.report.scores import SPREAD, drawn

ENTRIES = {entry["id"]: entry for entry in yaml.safe_load((ROOT / "config/claims.yaml").read_text())}
SMALLEST, LEVEL, FAR = 0.02, 0.3, 0.3  # CCC
N_SEEDS = 3
NETWORKS = [m for m in registry.available("models") if registry.is_network(m)]
RUNS = {  # claim -> who is compared; of one rival (C7) and of every one that could be used on a new person (C1)
    "C7": {"models": [STUDIED], "ablations": {"flat": {"hierarchy": "flat"}}},
    "C1": {"models": [*NETWORKS, "ridge", "ridge_token", "boosting"]},
}
NO_PREDICTIONS = pd.DataFrame(columns=["setting", "model", "seed", "fold", "subject", "trial", "condition", "target", "y_pred"])
NO_ROUTING = pd.DataFrame(columns=[*NO_PREDICTIONS, "quantity", "part", "value"])


class Outcome(NamedTuple):
    """Share of runs that say "supported", and the median of what they state: chance of it at the smallest effect of interest,
    with nobody behind, and the lead that is seen with a chance of 80%."""

    supported: float
    power: float
    false_support: float
    detectable: float


class Planted:
    """Runs on one claim, of so many people and three seeds; ``simulations``: those behind what each run states."""

    def __init__(self, claim: str, n_people: int, folder: Path, simulations: int):
        entry = ENTRIES[claim] | {"smallest_effect": SMALLEST}
        self.claims = folder / f"{claim}.yaml"
        self.claims.write_text(yaml.safe_dump([entry]))
        of_run = {"datasets": ["deap_twin"], "conditions": {}, "seeds": list(range(N_SEEDS))}
        self.config = load_config(of_run | {"statistics": {"simulations": simulations}} | RUNS[claim])
        names = [model_variant(STUDIED, a) for a in entry.get("ablations", [])]
        self.rivals, self.n_people = names or self.config.rivals, n_people

    def judged(self, lead: float, n_runs: int, *, of_one: bool = False) -> Outcome:
        """With Hi-MoE ahead of every rival by ``lead``, or ``of_one``: of the first by that and far ahead of the others."""
        rows = []
        for run in range(n_runs):
            means = {STUDIED: LEVEL} | dict.fromkeys(self.rivals, LEVEL - (FAR if of_one else lead))
            means[self.rivals[0]] = LEVEL - lead
            scores = drawn(means, self.n_people, N_SEEDS, np.random.default_rng([run, self.n_people, len(self.rivals)]))
            rows.append(self._verdict(scores))
        made = pd.concat(rows)
        stated = made[["power", "false_support", "detectable"]].astype(float).median()
        return Outcome(float((made["verdict"] == "supported").mean()), *map(float, stated))

    def _verdict(self, scores: pd.DataFrame) -> pd.DataFrame:
        run = Evidence({"claims": [str(self.claims)]}, self.config)
        run.__dict__.update(all_scores=scores, failed={}, runs=[], predictions=NO_PREDICTIONS, routing=NO_ROUTING)
        made = judge_all(run)
        return made[made["setting"] == "deap_twin"]


def seen_with_80_percent(planted: Planted) -> float:
    """The lead over every rival that the design is said to see with a chance of 80%, before there is a run."""
    spread = assumed(SPREAD["people"], SPREAD["seeds"], SPREAD["rest"], len(planted.rivals))
    return characteristics(Design(planted.n_people, N_SEEDS, spread), SMALLEST, 2000).detectable
