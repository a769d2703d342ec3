"""Downloads from a data set's owners: whole and checked, or not at all. Credentials stay in the environment."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
import zipfile
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from himoe.provenance import hash_file
from himoe.types import Download, HimoeError

if TYPE_CHECKING:
    from rich.progress import Progress

log = logging.getLogger("himoe")
RETRIES, MAX_REDIRECTS, CHUNK = 3, 5, 1 << 20
TIMEOUT = (10, 60)
STALL_SECONDS, STALL_BYTES = 60.0, 1 << 16  # a server that sends less in that time is not waited for
MAX_BYTES = 1 << 36
MAX_UNPACKED = 20  # times the length that is stated of an answer that the server packs


def fetch(downloads: list[Download], root: Path) -> dict[str, Any]:
    """Download files into ``root`` unless they are there; returns name -> url, bytes, SHA-256.

    pooch retries what may pass (cut connections, 5xx, a wrong hash), writes to a temporary name and renames at the end.

    Raises
    ------
    HimoeError
        One line with the file, what the server did and what to do about it.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    facts = {}
    for d in downloads:
        published = f"sha256:{d.sha256}" if d.sha256 else None
        keeper = pooch.create(root, "", registry={d.name: published}, urls={d.name: d.url}, retry_if_failed=RETRIES)
        try:
            path = Path(keeper.fetch(d.name, downloader=Downloader(d)))
        except (requests.RequestException, ValueError) as error:
            raise HimoeError(f"{d.url}: not downloaded after {RETRIES + 1} tries ({_reason(error)}); try again later") from None
        except OSError as error:
            why = error.strerror or error  # pooch's own words have no number
            raise HimoeError(f"{root / d.name}: cannot be written ({why}); check space and permissions") from error
        facts[d.name] = {"url": d.url, "bytes": path.stat().st_size, "sha256": hash_file(path)}
    return facts


class Downloader:
    """Called by pooch to fill a temporary file. An error raised as HimoeError is not tried again."""

    def __init__(self, download: Download):
        self.download, self.n_bytes = download, 0

    def __call__(self, url: str, output_file: str, keeper: Any) -> None:
        """Download in a thread, which is left behind where the server does not keep up: no timeout of a socket notices one
        that sends a byte now and then."""
        import requests
        import urllib3

        self.n_bytes = 0
        failed: list[BaseException] = []

        def work() -> None:
            try:
                self._download(url, output_file)
            except urllib3.exceptions.HTTPError as error:  # what requests calls ConnectionError where it reads by itself
                failed.append(requests.ConnectionError(str(error)))
            except BaseException as error:
                failed.append(error)

        thread = Thread(target=work, daemon=True)
        thread.start()
        known, since = 0, time.monotonic()
        while thread.is_alive():
            thread.join(min(1.0, STALL_SECONDS))
            if self.n_bytes >= known + STALL_BYTES:
                known, since = self.n_bytes, time.monotonic()
            elif thread.is_alive() and time.monotonic() - since > STALL_SECONDS:
                raise HimoeError(
                    f"{self.download.url}: {self.n_bytes - known} bytes in {STALL_SECONDS:g} s; try again later, or "
                    "download the file by hand"
                )
        if failed:
            raise failed[0]

    def _download(self, url: str, output_file: str) -> None:
        import requests

        with requests.Session() as session, self._open(session, url) as response:
            expected, is_packed = int(response.headers.get("Content-Length", 0)), "Content-Encoding" in response.headers
            most = min(expected * (MAX_UNPACKED if is_packed else 1), MAX_BYTES) if expected else MAX_BYTES
            self._check_room(expected, Path(output_file))
            with open(output_file, "wb") as out, Bar(self.download.name, expected) as bar:
                while chunk := response.raw.read1(CHUNK, decode_content=True):
                    if self.n_bytes == 0 and chunk[:256].lstrip().lower().startswith((b"<!doctype html", b"<html")):
                        raise HimoeError(self.web_page())
                    if self.n_bytes == 0 and self.download.name.endswith(".zip") and not b"PK".startswith(chunk[:2]):
                        raise HimoeError(f"{self.download.url}: what comes is no zip file; download the file by hand")
                    out.write(chunk)
                    self.n_bytes += len(chunk)
                    if self.n_bytes > most:
                        raise HimoeError(f"{self.download.url}: more than {most} bytes came, which is no file of this data set")
                    bar.advance(len(chunk))
        if expected and self.n_bytes != expected and not is_packed:
            raise requests.ConnectionError(f"{self.n_bytes} of {expected} bytes came")
        if self.download.name.endswith(".zip") and not _is_whole_zip(output_file):
            raise requests.ConnectionError(f"{self.n_bytes} bytes came, no whole zip file")

    def _check_room(self, n_bytes: int, path: Path) -> None:
        """HimoeError if the file that is announced is none of a data set's, or the disk cannot hold it."""
        if not 0 <= n_bytes <= MAX_BYTES:
            raise HimoeError(f"{self.download.url}: {n_bytes} bytes are announced, which is no file of this data set")
        if n_bytes > (free := shutil.disk_usage(path.parent).free):
            raise HimoeError(f"{self.download.url}: {n_bytes} bytes are announced, and {path.parent} has room for {free}")

    def _open(self, session: Any, url: str) -> Any:
        """The response that holds the file, redirects followed to known hosts only."""
        import requests

        origin = urlsplit(url)[:2]
        auth = tuple(os.environ.get(name, "") for name in self.download.credentials) or None
        for _ in range(MAX_REDIRECTS):
            here = auth if urlsplit(url)[:2] == origin else None
            response = session.get(url, stream=True, auth=here, allow_redirects=False, timeout=TIMEOUT)
            if not response.is_redirect:
                break
            url = urljoin(url, response.headers["Location"])
            response.close()
            if origin[0] == "https" and urlsplit(url).scheme != "https":
                raise HimoeError(f"{self.download.url}: the server sends us on without encryption; download the file by hand")
            if urlsplit(url).netloc not in (origin[1], *self.download.hosts):
                raise HimoeError(
                    f"{self.download.url}: the server sends us on to another host ({urlsplit(url).netloc}); not followed; "
                    "download the file by hand"
                )
        else:
            raise HimoeError(f"{self.download.url}: more than {MAX_REDIRECTS} redirects; download the file by hand")
        if response.status_code in (401, 403):
            names = " and ".join(self.download.credentials)
            advice = f"check {names} in the environment" if names else "it is not public; download the file by hand"
            raise HimoeError(f"{self.download.url}: access refused ({response.status_code}); {advice}")
        if 400 <= response.status_code < 500 and response.status_code not in (408, 429):
            raise HimoeError(
                f"{self.download.url}: status {response.status_code}; the file may have moved: download it by hand"
            )
        if response.status_code != 200:
            raise requests.HTTPError(f"status {response.status_code}")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise HimoeError(self.web_page())
        return response

    def web_page(self) -> str:
        """The message where a web page came under the file's name."""
        return f"{self.download.url}: a web page came instead of the file (a login or error page); download the file by hand"


class Bar:
    """A progress bar on a terminal; elsewhere a line in the log for every tenth."""

    def __init__(self, name: str, total: int):
        self.name, self.total, self.done = name, total, 0
        self.live: Progress | None = None

    def __enter__(self) -> Bar:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self.live = Progress(console=Console(stderr=True))
            self.live.start()
            self.task = self.live.add_task(self.name, total=self.total or None)
        return self

    def advance(self, n: int) -> None:
        """Count n bytes more."""
        before, self.done = self.done, self.done + n
        if self.live is not None:
            self.live.update(self.task, completed=self.done)
        elif self.total and self.done * 10 // self.total > before * 10 // self.total:
            log.info("%s: %d of %d bytes", self.name, self.done, self.total)

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()


def _is_whole_zip(path: str) -> bool:
    try:
        with zipfile.ZipFile(path) as zipped:
            return zipped.testzip() is None
    except Exception:  # damaged bytes make zipfile, its decompressors and struct raise errors of many kinds
        return False


def _reason(error: Exception) -> str:
    """The first line of an error, without what libraries wrap around it."""
    return (str(error) or type(error).__name__).splitlines()[0][:200]
