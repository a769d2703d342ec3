"""Preparing the full-size twins (32 and 23 subjects) on two cores: <= 4 min and <= 1.5 GB each; twice the subjects, <= 2.2x."""

from __future__ import annotations

import pytest
import yaml

from himoe.config.facts import dataset_info
from tests.benchmarks.cost import Cost, measured
from tests.workflow.runs import checkout, snakemake


def _prepare(folder, dataset: str, subjects: int, trials: int = 40, seconds: int = 60, **more) -> Cost:
    """What it costs to come from source files to the data card."""
    twin = {"subjects": subjects, "trials": trials, "seconds": seconds}
    (folder / "run.yaml").write_text(yaml.safe_dump({"datasets": [dataset], "twin": twin, "models": ["train_mean"]} | more))
    made = snakemake(folder, f"results/{dataset}/twin.json", "--configfile", "run.yaml")
    assert made.returncode == 0, made.stderr[-2000:]
    with measured() as cost:
        run = snakemake(folder, f"results/{dataset}/card.json", "--configfile", "run.yaml")
    assert run.returncode == 0, run.stderr[-2000:]
    return cost


@pytest.mark.parametrize("dataset", ["deap_twin", "dreamer_twin", "case_twin"])
def test_full_size_twins(tmp_path, dataset):
    n = len(dataset_info(dataset).subjects)
    cost = _prepare(checkout(tmp_path), dataset, n)
    print(
        f"\n{dataset}, {n} subjects: {cost.wall:.0f} s (line 240), {cost.cpu:.0f} s CPU, {cost.peak:.0f} MB in all (line 1536)"
    )
    assert cost.wall <= 240
    assert cost.peak <= 1536


def test_deaps_raw_edition(tmp_path):
    cost = _prepare(checkout(tmp_path), "deap_twin", 6, editions={"deap_twin": "raw"})
    spent = f"{cost.wall:.0f} s, {cost.cpu:.0f} s CPU, all processes {cost.peak:.0f} MB"
    print(f"\ndeap_twin, raw edition, 6 subjects: prepared in {spent}")
    assert cost.peak <= 1536


def test_twice_the_subjects_cost_twice(tmp_path):
    spent = {}
    for n in (6, 12, 24):
        folder = tmp_path / str(n)
        folder.mkdir()
        spent[n] = _prepare(checkout(folder), "deap_twin", n, trials=10).cpu
    growth = [spent[12] / spent[6], spent[24] / spent[12]]
    sizes = ", ".join(f"{n} subjects {s:.1f} s" for n, s in spent.items())
    print(f"\nG10 CPU: {sizes}: {growth[0]:.2f}x, {growth[1]:.2f}x (line 2.2)")
    assert max(growth) <= 2.2
