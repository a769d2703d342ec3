"""What every plug-in owes, tested for each file that exists."""

from __future__ import annotations

import ast
import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from himoe import io, registry
from himoe.config.contents import SECTIONS
from himoe.config.run import Config
from himoe.data import intake, prepare
from himoe.data.door import read_trials_of
from himoe.data.rows import predicted_by, to_rows
from himoe.data.twins import synthesize
from himoe.evaluate.conditions import under_condition
from himoe.names import STUDIED
from himoe.report.colours import contrast, told_apart
from himoe.train.stack import Stack
from himoe.types import Batch, HimoeError, Output
from tests.conditions.perturbing import apply, severities, tokens_under
from tests.conftest import make_tokens, tokens_for
from tests.contract.networks import TORCH, batch_of, build, train_on

ESTIMATORS = [m for m in registry.available("models") if m not in TORCH]
RECORDED = [d for d in registry.available("datasets") if not registry.is_planted(d)]


@pytest.fixture(scope="module", params=RECORDED)
def twin(request, tmp_path_factory):
    """A small twin of each data set, written in its own format."""
    name, root = request.param, tmp_path_factory.mktemp(request.param)
    settings = Config(datasets=[f"{name}_twin"], twin={"subjects": 6, "trials": 3, "seconds": 16, "snr": 1.0})
    size = settings.size(f"{name}_twin")
    synthesize(name, root, size, edition_of(name).name, 1.0, 0)
    return name, root, size, settings


def edition_of(name):
    return registry.peek("datasets", name)["INFO"].editions[0]


def take_in(twin, tmp_path):
    name, root, size, _ = twin
    return intake.take_in(f"{name}_twin", intake.find(f"{name}_twin", root), size, tmp_path / "unpacked")


def trials_of(twin, tmp_path, subject):
    io.write_json(tmp_path / "manifest.json", take_in(twin, tmp_path))
    folder, record = intake.read_manifest(tmp_path / "manifest.json", subject)
    return list(read_trials_of(twin[0], folder, record, twin[2]))


def test_facts_are_complete(twin):
    info = registry.peek("datasets", twin[0])["INFO"]
    assert info.licence
    assert info.access
    assert info.citation
    assert len(set(info.subjects)) == len(info.subjects)
    assert set(info.default_targets) <= set(info.targets)
    assert len({m.name for m in info.modalities}) == len(info.modalities)


def test_intake_lists_every_subject(twin, tmp_path):
    manifest = take_in(twin, tmp_path)
    assert list(manifest["records"]) == list(twin[2].subjects)
    assert not manifest["absent"]
    assert not manifest["stray"]
    assert all(len(f["sha256"]) == 64 for f in manifest["source"].values())


def test_trials_become_tokens(twin, tmp_path):
    name, _, size, settings = twin
    plugin, subject = registry.load("datasets", name), size.subjects[-1]
    trials = trials_of(twin, tmp_path, subject)
    assert len(trials) == size.n_trials
    low, high = plugin.INFO.target_range
    for trial in trials:
        assert trial.subject == subject
        assert ((trial.targets >= low) & (trial.targets <= high)).all()
        for m in plugin.INFO.modalities:
            if m.name in trial.signals:
                assert trial.signals[m.name].data.shape[0] == len(m.channels)
                assert (trial.signals[m.name].sfreq, trial.signals[m.name].times) == (m.sfreq, None)
    options = settings.feature_options(f"{name}_twin")
    tokens, quality = prepare.prepare_subject(plugin.INFO, trials, settings.targets_of(f"{name}_twin"), options)
    assert np.isfinite(tokens.x).all()
    assert all(count["present"] > 0 for count in quality.values()), quality  # else: another unit than is declared?
    columns = np.repeat(tokens.mask, [len(n) for n in tokens.layout.features], axis=1)
    assert (tokens.x[~columns] == 0).all()
    assert set(quality) == set(tokens.layout.modalities)
    assert len({t.digest for t in tokens.trials}) == len(trials)


def test_simulation_repeats_to_the_byte(twin, tmp_path):
    """Whatever the number of cores; and what proves a twin does not name them."""
    name, root, size, settings = twin
    again = tmp_path / "again"
    proof = synthesize(name, again, size, edition_of(name).name, 1.0, 0, threads=2)
    assert "threads" not in proof
    files = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    for path in files:
        assert (root / path).read_bytes() == (again / path).read_bytes(), path
    subject = size.subjects[0]
    pair = trials_of(twin, tmp_path, subject), trials_of((name, again, size, settings), tmp_path / "b", subject)
    for a, b in zip(*pair, strict=True):
        for m in a.signals:
            np.testing.assert_array_equal(a.signals[m].data, b.signals[m].data)


def test_a_missing_subject_is_named(twin, tmp_path):
    name, root, size, _ = twin
    more = replace(size, subjects=(*size.subjects, "nobody"))
    with pytest.raises(HimoeError, match=r"1 of 7 subjects absent \(nobody|6 subjects, expected 7"):
        intake.take_in(f"{name}_twin", intake.find(f"{name}_twin", root), more, tmp_path / "unpacked")


@pytest.mark.parametrize("name", registry.available("conditions"))
def test_severity_zero_is_the_identity(name):
    plugin = registry.load("conditions", name)
    one = tokens_under(name).select([0])
    out = apply(name, one, 0.0)
    np.testing.assert_array_equal(out.x, one.x)
    np.testing.assert_array_equal(out.mask, one.mask)
    assert plugin.margin(0.0, 2.0) == 0


@pytest.mark.parametrize("name", registry.available("conditions"))
def test_perturbations_repeat_and_leave_labels_and_input_alone(name):
    tokens, mild = tokens_under(name), severities(name)[0]
    before = tokens.x.copy()
    a, b = (under_condition(tokens, name, [0.0, mild], 3) for _ in range(2))
    assert a[mild].digest == b[mild].digest != ""
    (at_0, a), (_, b) = ((out[0.0].tokens, out[mild].tokens) for out in (a, b))
    np.testing.assert_array_equal(a.x, b.x)
    np.testing.assert_array_equal(a.y, at_0.y)
    np.testing.assert_array_equal(tokens.x, before)
    assert len(a.time) == len(at_0.time)
    assert (a.x != at_0.x).any()


def test_a_shift_that_is_no_whole_token_is_refused(tokens):
    with pytest.raises(HimoeError, match=r"0\.3 s is no whole number of tokens at 2 Hz"):
        under_condition(tokens, "shift", [0.0, 0.3], 3)


@pytest.mark.parametrize("name", registry.available("models"))
def test_a_model_is_told_from_himoe_by_everyone(name):
    """On both pages, colour-blind or not; and it stands out from the page."""
    for page, own, studied in zip(("#ffffff", "#161a20"), registry.colours(name), registry.colours(STUDIED), strict=True):
        assert contrast(own, page) >= 3  # WCAG 1.4.11
        assert name == STUDIED or told_apart([own, studied])
    assert isinstance(registry.place(name), int)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("per_token", [False, True])
def test_estimators_fit_and_predict(name, per_token):
    plugin, data = registry.load("models", name), make_tokens(per_token=per_token)
    rows = to_rows(data)
    state = plugin.fit(rows, plugin.Config(), 0)
    assert all(isinstance(a, np.ndarray) for a in state.values())
    out = predicted_by(plugin, state, rows.unlabelled(), rows.y.shape[1])
    assert np.isfinite(out).all()


@pytest.fixture(scope="module", params=[*TORCH, "himoe+readout"])
def network(request):
    torch.manual_seed(0)
    data = tokens_for(request.param)
    return build(request.param, data.layout), data


class Recurrent(torch.nn.Module):
    """A network of which torch.vmap knows no rule."""

    def __init__(self, n_features):
        super().__init__()
        self.gru, self.out = torch.nn.GRU(n_features, 8, batch_first=True), torch.nn.Linear(8, 2)

    def forward(self, batch):
        return Output(self.out(self.gru(batch.x)[0]), {}, {})


def stacked(stack, batch):
    """A step and a prediction of every model of a stack, all on the same batch."""
    batches = Batch(*(None if part is None else torch.stack([part] * len(stack)) for part in batch))
    losses, gradient = stack.gradients(batches, torch.arange(len(stack)), lambda output, _: output.prediction.square().mean())
    assert torch.isfinite(losses).all()
    assert gradient.shape == stack.flat.shape
    assert stack.predict(batches._replace(y=None)).prediction.shape[0] == len(stack)


def test_a_prediction_for_every_step(network):
    model, data = network
    output = model.eval()(batch_of(data)._replace(y=None))
    assert isinstance(output, Output)
    assert output.prediction.shape == (24, 24, 2)
    assert output.losses == {}


@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf, 1e30])
def test_what_a_masked_input_holds_changes_no_bit(network, garbage):
    model, data = network
    batch = batch_of(data)
    columns = torch.repeat_interleave(batch.mask, torch.tensor([len(n) for n in data.layout.features]), dim=-1)
    dirty = batch._replace(x=torch.where(columns, batch.x, garbage))
    a, b = model.eval()(batch._replace(y=None)), model(dirty._replace(y=None))
    assert torch.equal(a.prediction, b.prediction)
    for name in a.routing:
        assert torch.equal(a.routing[name], b.routing[name]), name


def test_gradients_reach_every_parameter(network):
    model, data = network
    model.train().zero_grad()
    output = train_on(model, batch_of(data))
    (output.prediction.square().mean() + sum(output.losses.values())).backward()
    lost = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert lost == [n for n in dict(model.named_parameters()) if n == "mix" or n.startswith("readout.")]  # solved, not trained


def test_two_folds_can_be_trained_side_by_side(network):
    model, data = network
    stacked(Stack([copy.deepcopy(model), copy.deepcopy(model)], torch.device("cpu")), batch_of(data))


def test_a_network_that_cannot_be_mapped_is_told_here_and_in_one_line():
    data = tokens_for("late_fusion")
    with pytest.raises(HimoeError, match=r"Recurrent: cannot be trained side by side \(.*gru.*execution\.stack to 1"):
        stacked(Stack([Recurrent(data.layout.n_features) for _ in range(2)], torch.device("cpu")), batch_of(data))
    stacked(Stack([Recurrent(data.layout.n_features)], torch.device("cpu")), batch_of(data))  # alone it can


def test_all_absent_is_defined(network):
    model, data = network
    batch = batch_of(replace(data, mask=np.zeros_like(data.mask), x=np.zeros_like(data.x)))
    prediction = model.eval()(batch._replace(y=None)).prediction
    assert torch.isfinite(prediction).all()
    torch.testing.assert_close(prediction[0], prediction[1])
    output = train_on(model, batch)
    assert all(torch.isfinite(v).all() for v in output.losses.values())


def test_one_window_one_modality(network):
    model, data = network
    one = data.select([0])
    mask = one.mask.copy()
    mask[:, 0] = False
    assert torch.isfinite(model.eval()(batch_of(replace(one, mask=mask))._replace(y=None)).prediction).all()


def test_padding_changes_no_prediction(network):
    model, data = network
    model.eval()
    a, b = batch_of(data, 24)._replace(y=None), batch_of(data, 30)._replace(y=None)
    torch.testing.assert_close(model(a).prediction, model(b).prediction[:, :24], atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("name", registry.available("controls"))
def test_controls_repeat_spoil_something_and_leave_their_input_alone(name, tokens):
    plugin, before = registry.load("controls", name), (tokens.x.copy(), tokens.y.copy())
    assert registry.peek("controls", name)["TITLE"]
    a, b, other = (plugin.apply(tokens, seed) for seed in (1, 1, 2))
    for attribute in ("x", "y"):
        np.testing.assert_array_equal(getattr(a, attribute), getattr(b, attribute))
    spoilt = [k for k in ("x", "y") if (getattr(a, k) != getattr(tokens, k)).any()]
    assert spoilt
    assert all((getattr(a, k) != getattr(other, k)).any() for k in spoilt)
    np.testing.assert_array_equal(tokens.x, before[0])
    np.testing.assert_array_equal(tokens.y, before[1])
    assert a.trials == tokens.trials
    np.testing.assert_array_equal(a.mask, tokens.mask)


@pytest.mark.parametrize("name", registry.available("controls"))
def test_controls_keep_what_has_no_label_without_one(name, tokens):
    y = tokens.y.copy()
    y[: tokens.offsets[1]] = np.nan
    one = replace(tokens, y=y)
    spoilt = registry.load("controls", name).apply(one, 1)
    assert np.isnan(spoilt.y).sum() == np.isnan(y).sum()


READ_FROM = {  # what an item asks of the evidence -> the files that it is read from
    "scores": "scores", "all_scores": "scores", "predictions": "predictions", "routing": "routing", "routed": "routing",
    "runs": "runs", "failed": "runs", "cards": "cards", "audits": "audits", "truths": "truths", "stimuli": "splits",
    "folds": "splits",
    "changed_since": "runs", "redesigned_since": "runs", "deleted_since": "runs", "across": "across",
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), [(k, n) for k in ("figures", "tables") for n in registry.available(k)])
def test_items_need_what_they_read(kind, name):
    """A job has the files of NEEDS and no others; what an item asks for beside them ends the run after all fits."""
    tree = registry.syntax_tree(kind, name)
    asked = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and getattr(n.value, "id", "") == "evidence"}
    assert {READ_FROM[a] for a in asked if a in READ_FROM} <= set(registry.peek(kind, name)["NEEDS"])


@pytest.mark.parametrize(("kind", "name"), [(k, n) for k in ("figures", "tables") for n in registry.available(k)])
def test_items_say_what_they_are(kind, name):
    peeked = registry.peek(kind, name)
    assert peeked["TITLE"]
    assert peeked["SECTION"] in SECTIONS
    assert isinstance(peeked["NEEDS"], tuple)
    assert len(peeked["doc"]) > 60
    assert ("draw" if kind == "figures" else "make") in peeked["functions"]
