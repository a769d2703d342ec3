"""Bad input ends a run in one line, before any job where it can, and leaves nothing; what a run lacks is not planned."""

from __future__ import annotations

import pytest

from tests.workflow.runs import checkout, copied, snakemake, write_config


def test_a_run_without_himoe_or_conditions_is_planned_without_their_items(tmp_path):
    folder = checkout(tmp_path)
    plan = snakemake(folder, "-n", "--configfile", write_config(folder, {"models": ["train_mean", "ridge"], "conditions": {}}))
    assert plan.returncode == 0, plan.stderr[-2000:]
    text = plan.stdout + plan.stderr
    assert "results/figures/subjects.svg" in text
    for name in ("routing", "prototypes", "predicted"):
        assert f"results/figures/{name}.svg" not in text
    assert "condition_curve" not in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"modles": ["ridge"]}, "modles: unknown key; did you mean 'models'?"),
        ({"figures": ["condition_curves"]}, "there is no 'condition_curves'; did you mean 'condition_curve'?"),
        ({"models": ["rigde"]}, "there is no 'rigde'; did you mean 'ridge'?"),
        ({"datasets": ["deap"]}, "data set 'DEAP': nothing of it in data/deap/ (looked for python: *.dat"),
        ({"datasets": ["../../x"]}, "datasets.0"),
        ({"model_options": {"himoe": {"router": "sotf"}}}, "model_options.himoe.router: Input should be 'soft', 'dense'"),
        ({"compare": "run.yaml"}, "run.yaml: not readable as JSON"),
        ({"compare": "config/schema.json"}, "config/schema.json: "),
        ({"conditions": {"shift": [0, 0.3]}}, "conditions.shift: 0.3 s is no whole number of tokens of deap_twin"),
    ],
)
def test_bad_input_stops_before_the_dag(tmp_path, changes, said):
    folder = checkout(tmp_path)
    done = snakemake(folder, "--configfile", write_config(folder, changes))
    assert done.returncode != 0
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert not (folder / "results").exists()


def test_a_key_given_twice_stops_before_the_dag(tmp_path):
    folder = checkout(tmp_path)
    (folder / "twice.yaml").write_text("models: [ridge]\nseeds: [0]\nmodels: [train_mean]\n")
    done = snakemake(folder, "--configfile", "twice.yaml")
    assert done.returncode != 0
    assert "twice.yaml: not readable as a config file (the key 'models' is given twice" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "results").exists()


def test_a_refused_run_leaves_earlier_fits_as_they_are(tmp_path):
    folder, weights = checkout(tmp_path), "results/planted-x/loso/ridge/seed-0/shard-0/weights.safetensors"
    planted = {"x": {"subjects": 3, "trials": 3, "seconds": 16}}
    run = {"datasets": ["planted-x"], "planted": planted, "models": ["ridge"], "protocols": ["loso"]}
    made = snakemake(folder, weights, "--configfile", write_config(folder, run))
    assert made.returncode == 0, made.stderr[-2000:]
    before = (folder / weights).read_bytes()
    config = write_config(folder, run | {"model_options": {"ridge": {"penalties": []}}})
    refused = snakemake(folder, weights, "--configfile", config)
    assert refused.returncode != 0
    assert "config: model_options.ridge.penalties: List should have at least 1 item" in refused.stderr
    assert (folder / weights).read_bytes() == before
    config = write_config(folder, run | {"model_options": {"ridge": {"penalties": [1.0]}}})
    accepted = snakemake(folder, weights, "-n", "--configfile", config)
    assert "fit_model" in accepted.stdout  # which such a setting would have done


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda d: (d / "s02.dat").write_bytes((d / "s01.dat").read_bytes()[:-5000]), "s02.dat: refused or truncated"),
        (lambda d: None, "subject s02 is absent"),
    ],
    ids=["truncated", "absent"],
)
def test_broken_recordings_are_one_line_and_leave_nothing(deap_recordings, tmp_path, damage, said):
    folder = checkout(tmp_path)
    data = copied(deap_recordings, folder / "data/deap")
    (data / "s02.dat").unlink()
    damage(data)
    config = write_config(folder, {"datasets": ["deap"], "models": ["train_mean"]})
    done = snakemake(folder, "results/deap/subjects/s02.npz", "--configfile", config)
    assert done.returncode != 0
    (message,) = [line for line in done.stderr.splitlines() if line.startswith("himoe:")]
    assert said in message
    assert not list(folder.glob("results/deap/subjects/*"))
    assert not [p for p in folder.rglob("results/**/.*") if p.is_file() and p.name.endswith((".npz", ".json"))]
