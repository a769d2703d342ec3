"""Downloads against a real HTTP server on loopback that misbehaves in every way a real one does."""

from __future__ import annotations

import base64
import io as bytes_io
import logging
import time
from types import SimpleNamespace

import pytest

from himoe.data import download
from himoe.types import Download, HimoeError
from tests.faults.server import CONTENT, PASSWORD, USER, Server, serving


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda s: None)
    monkeypatch.setenv("HIMOE_TEST_USER", USER)
    monkeypatch.setenv("HIMOE_TEST_PASSWORD", PASSWORD)
    Server.calls, Server.seen = {}, []
    with serving(Server) as address:
        yield address


def get(server, fault, root, **kwargs):
    return download.fetch([Download("zip", f"{server}/{fault}/a.zip", "a.zip", **kwargs)], root)


def test_a_good_file_arrives_whole(server, tmp_path):
    import hashlib

    facts = get(server, "fine", tmp_path)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert facts["a.zip"]["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert facts["a.zip"]["bytes"] == len(CONTENT)
    get(server, "fine", tmp_path)
    assert Server.calls == {"fine": 1}  # what is there is not fetched again


@pytest.mark.parametrize(
    ("fault", "message", "calls"),
    [
        ("cut", "not downloaded after 4 tries", 4),
        ("cut_unmeasured", "not downloaded after 4 tries .*no whole zip file", 4),
        ("undecodable", "not downloaded after 4 tries .*no whole zip file", 4),
        ("login", r"a web page came instead of the file \(a login or error page\)", 1),
        ("login_disguised", "a web page came instead of the file", 1),
        ("locked", r"access refused \(401\); it is not public; download the file by hand", 1),
        ("busy", "not downloaded after 4 tries .*status 503", 4),
        ("gone", "status 404; the file may have moved", 1),
        ("elsewhere", r"on to another host \(localhost:\d+\); not followed", 1),
        ("round", "more than 5 redirects", 5),
    ],
)
def test_a_fault_leaves_no_file_and_says_what_to_do(server, tmp_path, fault, message, calls):
    with pytest.raises(HimoeError, match=message) as caught:
        get(server, fault, tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert Server.calls == {fault: calls}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("drip", r"\d+ bytes in 1 s; try again later, or download the file by hand"),
        ("drip_of_headers", "0 bytes in 1 s"),
        ("silent", "0 bytes in 1 s"),
        ("endless", "more than 16777216 bytes came, which is no file of this data set"),
        ("endless_noise", "what comes is no zip file; download the file by hand"),
        ("enormous", "1125899906842624 bytes are announced, which is no file of this data set"),
        ("larger_than_the_disk", "1048576 bytes are announced, and .* has room for 1000000"),
        ("packed_bomb", r"more than \d{6,7} bytes came"),
        ("words_for_a_length", "not downloaded after 4 tries"),
        ("less_than_nothing", "-5 bytes are announced"),
    ],
)
def test_no_download_is_waited_for_without_end(server, tmp_path, monkeypatch, fault, message):
    """60 s, 64 kB and 64 GB in earnest; here 1 s and 16 MB, and a disk of 1 MB."""
    monkeypatch.setattr(download, "STALL_SECONDS", 1.0)
    monkeypatch.setattr(download, "MAX_BYTES", 1 << 24)
    if fault == "larger_than_the_disk":
        monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10**6))
    started = time.perf_counter()
    with pytest.raises(HimoeError, match=message) as caught:
        get(server, fault, tmp_path)
    assert "\n" not in str(caught.value)
    assert time.perf_counter() - started < 5
    assert list(tmp_path.iterdir()) == []


def test_a_slow_server_that_keeps_up_is_waited_for(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "STALL_SECONDS", 0.5)
    get(server, "fast_enough", tmp_path)  # 1 s for the whole file
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_server_that_is_busy_twice_is_asked_again(server, tmp_path):
    get(server, "busy_twice", tmp_path)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert Server.calls == {"busy_twice": 3}


def test_redirects_within_the_host_and_to_listed_hosts_are_followed(server, tmp_path):
    get(server, "near", tmp_path / "a")
    port = server.rsplit(":", 1)[1]
    get(server, "elsewhere", tmp_path / "b", hosts=(f"localhost:{port}",))
    assert (tmp_path / "b/a.zip").read_bytes() == CONTENT


def test_credentials_are_never_sent_in_the_clear(tmp_path, monkeypatch):
    """An https address that redirects to http of the same host: not followed (no TLS server needed: the answer is made up)."""
    import requests

    calls = []

    def answer(self, url, **kwargs):
        calls.append((url, kwargs["auth"]))
        response = requests.Response()
        response.status_code, response.url = 302, url
        response.headers["Location"] = url.replace("https://", "http://")
        response.raw = bytes_io.BytesIO()
        return response

    monkeypatch.setattr(requests.Session, "get", answer)
    monkeypatch.setenv("HIMOE_TEST_USER", USER)
    monkeypatch.setenv("HIMOE_TEST_PASSWORD", PASSWORD)
    with pytest.raises(HimoeError, match="sends us on without encryption"):
        get("https://example.org", "x", tmp_path, credentials=("HIMOE_TEST_USER", "HIMOE_TEST_PASSWORD"))
    assert calls == [("https://example.org/x/a.zip", (USER, PASSWORD))]


def test_a_wrong_hash_is_refused(server, tmp_path):
    with pytest.raises(HimoeError, match="not downloaded after 4 tries"):
        get(server, "fine", tmp_path, sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_credentials_open_the_door_and_go_nowhere_else(server, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    names = ("HIMOE_TEST_USER", "HIMOE_TEST_PASSWORD")
    facts = get(server, "locked", tmp_path / "a", credentials=names)
    port = server.rsplit(":", 1)[1]
    Server.seen.clear()
    get(server, "elsewhere", tmp_path / "b", credentials=names, hosts=(f"localhost:{port}",))
    assert [header is None for header in Server.seen] == [False, True]  # the other host never sees them
    everything = caplog.text + repr(facts)
    assert PASSWORD not in everything
    assert base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode() not in everything


def test_wrong_credentials_name_the_variables(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HIMOE_TEST_PASSWORD", "wrong-word")
    with pytest.raises(HimoeError, match="check HIMOE_TEST_USER and HIMOE_TEST_PASSWORD in the environment") as caught:
        get(server, "locked", tmp_path, credentials=("HIMOE_TEST_USER", "HIMOE_TEST_PASSWORD"))
    assert "wrong-word" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_line(server, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(HimoeError, match=r"file/data/a\.zip: cannot be written \(Not a directory\); check space"):
        get(server, "fine", tmp_path / "file/data")


def test_nobody_answers(tmp_path, monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda s: None)
    with pytest.raises(HimoeError, match="not downloaded after 4 tries"):
        download.fetch([Download("zip", "http://127.0.0.1:9/a.zip", "a.zip")], tmp_path)
    assert list(tmp_path.iterdir()) == []
