"""A torch that is too old is refused in a line wherever a network begins; one that nobody tried is let in and said."""

from __future__ import annotations

import logging

import pytest
import torch

import himoe
from himoe.config.code import script_code
from himoe.config.sections import Execution, Training
from himoe.provenance import modules_behind
from himoe.train import devices, versions
from himoe.types import HimoeError
from tests.commands.test_doctor import state

TOO_OLD = (
    r"^torch 2\.8\.1\+cu128 is installed; Hi-MoE's networks need 2\.9 or newer: pip install -r envs/requirements\.lock, or"
)


@pytest.fixture(autouse=True)
def anew():
    """As in a process that has not looked yet."""
    versions.check_torch.cache_clear()
    yield
    versions.check_torch.cache_clear()


@pytest.mark.parametrize("version", ["2.8.1", "1.13.1+cpu", "0.4.1"])
def test_too_old(version):
    with pytest.raises(HimoeError, match=r"need 2\.9 or newer"):
        versions.check_torch(version)


@pytest.mark.parametrize("version", ["2.9.0", "2.9.0a0+git1234", "2.10.0", "2.11.0+cu130", "2.13.2"])
def test_tried(version, caplog):
    """2.10 is more than 2.9, though no decimal fraction is."""
    with caplog.at_level(logging.INFO):
        versions.check_torch(version)
    assert not caplog.text


@pytest.mark.parametrize("version", ["2.14.0", "2.14.0.dev20270101+cpu", "3.0.0"])
def test_newer_is_one_line_of_the_log(version, caplog):
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            versions.check_torch(version)
    assert [record.getMessage() for record in caplog.records] == [
        f"torch {version} is newer than any that is known to work (2.9 to 2.13)"
    ]


def test_wherever_a_network_begins(monkeypatch, tmp_path):
    """A fit or a prediction, a network of one's own, the doctor."""
    monkeypatch.setattr(torch, "__version__", "2.8.1+cu128")
    with pytest.raises(HimoeError, match=TOO_OLD):
        devices.settle(Training(), Execution(device="cpu"))
    with pytest.raises(HimoeError, match=TOO_OLD):
        himoe.HiMoE({"a": 2})
    found, detail = state(tmp_path, "torch")
    assert (found, detail.split(";")[0]) == ("wrong", "torch 2.8.1+cu128 is installed")


def test_the_doctor_names_the_range(monkeypatch, tmp_path):
    monkeypatch.setattr(torch, "__version__", "2.11.0")
    assert state(tmp_path, "torch") == ("ready", "2.11.0: one of the versions that are known to work, 2.9 to 2.13")
    monkeypatch.setattr(torch, "__version__", "2.15.0")
    assert state(tmp_path, "torch") == ("ready", "2.15.0: newer than any of the versions that are known to work, 2.9 to 2.13")


def test_the_range_is_no_part_of_what_a_fit_is():
    whole = script_code("fit_model")
    assert "himoe.train.versions" in modules_behind("himoe.train.devices")
    assert script_code("fit_model", ("himoe.train.versions",)) == whole
    assert script_code("fit_model", ("himoe.train.devices",)) != whole
