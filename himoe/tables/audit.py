"""Model-info sheet (after Kapoor & Narayanan 2023): what the run itself checked between training and scoring. A refusal stops
the run before any score is written, so a sheet that can be read holds none. What else could give the answer away (who the
person is, a trial's number or length, what is missing) is measured and printed; it refuses nothing."""

import pandas as pd

from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.titles import setting_title
from himoe.stats.frames import pick

TITLE = "Audit for leakage"
SECTION = "trust"
NEEDS = ("audits",)
SIGNS = {
    "passed": "✓ passed", "reported": "· measured", "not run": "– not run",
    "as expected of an invalid protocol": "✗ leaks, as expected", "has skill": "✗ has skill",
}  # fmt: skip


def make(evidence: Evidence) -> TableItem:
    """One row per setting and check."""
    rows = [
        {"setting": evidence.setting(sheet["dataset"], sheet["protocol"]), **finding}
        for sheet in evidence.audits for finding in sheet["findings"]
    ]  # fmt: skip
    data = pd.DataFrame(rows)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title), "question": data["question"],
        "verdict": data["verdict"].map(lambda v: SIGNS.get(v, v)), "evidence": data["evidence"],
    })  # fmt: skip
    leaks = data[data["verdict"].str.startswith("as expected")]
    finding = f"{len(pick(data, verdict='passed'))} checks passed, none refused"
    finding += f"; {leaks['setting'].nunique()} protocol(s) leak as an invalid one does" if len(leaks) else ""
    return TableItem(data, shown, finding + ".")
