"""What the paper's abstract claims and what this run says of it, on people that no model has seen. A claim is judged by one
number: the smallest lead of Hi-MoE over any of the models it must be ahead of, in CCC, with a 95% interval over people and
seeds. Supported: above 0. Contradicted: below 0. Equivalent: within the smallest effect of interest either way. Inconclusive:
none of these; then the lead that this design could have seen says how much may have been missed. Predicting nothing (CCC 0) is
always among the models to be ahead of. Hypotheses and smallest effects were fixed in config/claims.yaml before the first fit;
false support and power are simulated with this run's people, seeds, rivals and spread. A verdict on a twin says how the code
behaves on simulated data and nothing about the paper."""

import numpy as np
import pandas as pd

from himoe import registry
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.judge import judge_all
from himoe.report.text import VERDICTS, interval, number, stamped
from himoe.report.titles import dataset_of
from himoe.stats.frames import pick

TITLE = "Claims"
SECTION = "verdict"
NEEDS = ("scores", "predictions", "routing", "claims", "runs")


def make(evidence: Evidence) -> TableItem:
    """One row per claim and data set of the run that it applies to, and one 'not run' row for the others."""
    data = judge_all(evidence)
    gone = evidence.deleted_since("claims", evidence.yaml("claims"))
    redesigned = evidence.redesigned_since()
    notes = [f"Deleted after results existed: {', '.join(gone)}."] if gone else []
    notes += [f"Changed after results existed: {', '.join(redesigned)}."] if redesigned else []
    return TableItem(data, _shown(evidence, data), _finding(evidence, data), "\n".join(notes))


def _shown(evidence: Evidence, data: pd.DataFrame) -> pd.DataFrame:
    gaps = [interval(*gap) for gap in data[["lead", "low", "high"]].to_numpy(float)]
    design = [_design(*row) for row in data[["detectable", "power", "false_support"]].to_numpy(float)]
    return pd.DataFrame({
        "claim": data["id"] + " · " + data["claim"],
        "data set": [stamped(s) if s in evidence.settings else s for s in data["setting"]],
        "verdict": data["verdict"].map(VERDICTS), "smallest lead, CCC [95% CI]": gaps,
        "evidence": [why + told for why, told in zip(data["evidence"], design, strict=True)],
    })  # fmt: skip


def _design(detectable: float, power: float, false_support: float) -> str:
    """What the design sees, as the end of a sentence; empty where nothing could be judged."""
    if not np.isfinite(detectable):
        return ""
    chances = f"power {power:.0%} at the smallest effect, false support {false_support:.1%}"
    return f"; sees a lead of {number(detectable)} with 80% power ({chances})"


def _finding(evidence: Evidence, data: pd.DataFrame) -> str:
    real = [s for s in evidence.settings if not registry.is_synthetic(dataset_of(s))]
    counts = pick(data, setting=real)["verdict"].value_counts().to_dict()
    return f"On real recordings: {', '.join(f'{n} {word}' for word, n in counts.items()) or 'no claim was tested'}."
