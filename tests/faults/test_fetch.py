"""Downloads against a real HTTP server on loopback that misbehaves in every way a real one does."""

from __future__ import annotations

import base64
import io as bytes_io
import logging
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from himoe.data import download
from himoe.types import Download, HimoeError

USER, PASSWORD = "reader", "s3cret-word"


def _zipped() -> bytes:
    out = bytes_io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("s01.dat", bytes(range(256)) * 4000)
    return out.getvalue()


CONTENT = _zipped()


class Server(BaseHTTPRequestHandler):
    """Every path is a fault."""

    calls: dict[str, int] = {}  # noqa: RUF012
    seen: list[str | None] = []  # noqa: RUF012
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.path.split("/")[1]
        self.calls[name] = self.calls.get(name, 0) + 1
        self.seen.append(self.headers.get("Authorization"))
        getattr(self, f"do_{name}")()

    def answer(self, content, status=200, length=None, kind="application/zip", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length != "none":
            self.send_header("Content-Length", str(length or len(content)))
        for key, value in headers.items():
            self.send_header(key, value)
        if length is not None:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(content)

    def do_fine(self):
        self.answer(CONTENT)

    def do_locked(self):
        header = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == header:
            self.answer(CONTENT)
        else:
            self.answer(b"no", 401)

    def do_cut(self):
        self.answer(CONTENT[:5000], length=len(CONTENT))

    def do_cut_unmeasured(self):
        self.answer(CONTENT[:5000], length="none")

    def do_login(self):
        self.answer(b"<html><body>Please log in</body></html>", kind="text/html; charset=utf-8")

    def do_login_disguised(self):
        self.answer(b"\n <!DOCTYPE html><html>Please log in</html>")

    def do_busy_twice(self):
        if self.calls["busy_twice"] <= 2:
            self.answer(b"later", 503)
        else:
            self.answer(CONTENT)

    def do_busy(self):
        self.answer(b"later", 503)

    def do_gone(self):
        self.answer(b"no", 404)

    def do_elsewhere(self):
        port = self.server.server_address[1]
        self.answer(b"", 302, length=0, Location=f"http://localhost:{port}/fine/a.zip")

    def do_round(self):
        self.answer(b"", 302, length=0, Location="/round/a.zip")

    def do_near(self):
        self.answer(b"", 302, length=0, Location="/fine/a.zip")

    def log_message(self, *_):
        pass


class Quiet(ThreadingHTTPServer):
    """A server that does not complain when a client hangs up."""

    def handle_error(self, request, client_address):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda s: None)
    monkeypatch.setenv("HIMOE_TEST_USER", USER)
    monkeypatch.setenv("HIMOE_TEST_PASSWORD", PASSWORD)
    Server.calls, Server.seen = {}, []
    running = Quiet(("127.0.0.1", 0), Server)
    Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


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


def test_nobody_answers(tmp_path, monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda s: None)
    with pytest.raises(HimoeError, match="not downloaded after 4 tries"):
        download.fetch([Download("zip", "http://127.0.0.1:9/a.zip", "a.zip")], tmp_path)
    assert list(tmp_path.iterdir()) == []
