"""Downloads through the workflow: once, checked, and with credentials that are kept nowhere."""

from __future__ import annotations

import base64
import zipfile

import yaml

from himoe.data.twins import synthesize
from himoe.types import Size
from tests.faults.server import PASSWORD, USER, Server, serving
from tests.workflow.runs import checkout, run_by_itself, with_package


class Owner(Server):
    """A server that wants a user name and hands out one archive."""

    archive = b""

    def do_GET(self):
        asked = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == asked:
            self.answer(self.archive)
        else:
            self.answer(b"no", 401)


def with_downloads(folder, address):
    """A checkout in which the open recordings come from a server of ours that wants credentials."""
    folder.mkdir()
    with_package(checkout(folder))
    plugin = folder / "himoe/datasets/esports.py"
    text = plugin.read_text()
    source = f'Download("csv", "{address}/x.zip", "matches.zip", "", (), ("DEAP_USER", "DEAP_PASSWORD"))'
    assert '    folder="esports_sensors",\n' in text
    text = text.replace('    folder="esports_sensors",\n', f'    folder="esports_sensors",\n    downloads=({source},),\n')
    plugin.write_text(text.replace("import DatasetInfo, Edition", "import DatasetInfo, Download, Edition"))
    run = {"datasets": ["esports"], "models": ["train_mean"], "conditions": {}, "download": True}
    (folder / "run.yaml").write_text(yaml.safe_dump(run))


def run(folder, **credentials):
    return run_by_itself(folder, "results/esports/card.json", **credentials)


def replace_one_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_download_runs_once_and_its_credentials_are_found_nowhere(tmp_path):
    source, folder = tmp_path / "source", tmp_path / "run"
    synthesize(
        "esports", source, Size(tuple(f"{t}-{i}" for t in ("amateurs", "pros") for i in range(1, 5)), 2, 60.0), "csv", 1.0, 0
    )
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in source.rglob("*.*"):
            zipped.write(path, f"eSports_Sensors_Dataset-main/{path.relative_to(source)}")
    Owner.archive = (tmp_path / "all.zip").read_bytes()
    with serving(Owner) as address:
        with_downloads(folder, address)
        without = run(folder)
        assert without.returncode != 0
        assert "set the environment variable DEAP_USER to download it" in without.stdout + without.stderr
        wrong = run(folder, DEAP_USER=USER, DEAP_PASSWORD="wr0ng-word")
        assert wrong.returncode != 0
        assert "himoe: http://127.0.0.1" in wrong.stderr
        assert "access refused (401); check DEAP_USER and DEAP_PASSWORD" in wrong.stderr
        assert "Traceback" not in wrong.stderr
        assert not list((folder / "data/esports").glob("*.zip"))
        done = run(folder, DEAP_USER=USER, DEAP_PASSWORD=PASSWORD)
        assert done.returncode == 0, done.stderr[-3000:]
    again = run(folder)  # the server is gone and so are the credentials
    assert again.returncode == 0, again.stderr[-3000:]
    assert "Nothing to be done" in again.stdout + again.stderr
    replace_one_byte(folder / "data/esports/matches.zip")
    changed = run(folder)
    assert changed.returncode != 0
    assert "matches.zip: differs from when it was first seen" in changed.stderr
    for text in (done.stdout + done.stderr, wrong.stdout + wrong.stderr):
        assert PASSWORD not in text
        assert "wr0ng-word" not in text
    for path in (p for p in folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        assert PASSWORD.encode() not in content, path
        assert b"wr0ng-word" not in content, path
