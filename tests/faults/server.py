"""A real HTTP server on loopback that misbehaves in every way a real one does."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from tests.faults.archives import undecodable

USER, PASSWORD = "reader", "s3cret-word"
PAUSE = Event()  # time.sleep is pooch's too, and tests that retry take it away


def _zipped() -> bytes:
    out = io.BytesIO()
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

    def do_undecodable(self):
        self.answer(undecodable())

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

    def do_to_a_file(self):
        self.answer(b"", 302, length=0, Location="file:///etc/passwd")

    def do_to_ftp(self):
        self.answer(b"", 302, length=0, Location="ftp://127.0.0.1/x")

    def do_to_nowhere(self):
        self.answer(b"", 302, length=0, Location="http:///x")

    def do_to_a_script(self):
        self.answer(b"", 302, length=0, Location="javascript:1")

    def dripped(self, pieces):
        with suppress(OSError):
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()
                PAUSE.wait(0.05)

    def do_drip(self):
        self.answer(b"", length=len(CONTENT))
        self.dripped(CONTENT[i : i + 1] for i in range(len(CONTENT)))

    def do_drip_of_headers(self):
        self.close_connection = True
        self.dripped(bytes([byte]) for byte in b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 10_000)

    def do_silent(self):
        self.close_connection = True
        PAUSE.wait(5)

    def do_endless(self, begins=b"PK"):
        self.answer(b"", length="none")
        with suppress(OSError):
            self.wfile.write(begins)
            while True:
                self.wfile.write(bytes(1 << 20))

    def do_endless_noise(self):
        self.do_endless(b"\0")

    def do_enormous(self):
        self.answer(b"PK", length=1 << 50)

    def do_larger_than_the_disk(self):
        self.answer(b"PK", length=1 << 20)

    def do_packed_bomb(self):
        packed = gzip.compress(b"PK" + bytes(50 << 20))
        self.answer(packed, **{"Content-Encoding": "gzip"})

    def do_fast_enough(self):
        self.answer(b"", length=len(CONTENT))
        step = len(CONTENT) // 20
        self.dripped(CONTENT[i : i + step] for i in range(0, len(CONTENT), step))

    def do_words_for_a_length(self):
        self.answer(CONTENT, length="a lot")

    def do_less_than_nothing(self):
        self.answer(CONTENT, length=-5)

    def log_message(self, *_):
        pass


class Quiet(ThreadingHTTPServer):
    """A server that does not complain when a client hangs up."""

    def handle_error(self, request, client_address):
        pass


@contextmanager
def serving(handler: type[Server]) -> Iterator[str]:
    """A server on loopback while the block runs; its address."""
    server = Quiet(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
