"""Put the JSON-LD context of RO-Crate 1.1 into the cache of rocrate-validator, so that it asks the network for nothing.
Run with the validator's own python: ``seed_context.py CACHE``. The context is a file of its environment's package rocrate."""

import io
import sys
from pathlib import Path

import requests
import rocrate
from requests_cache import CachedSession
from urllib3 import HTTPResponse

URL = "https://w3id.org/ro/crate/1.1/context"


def main(cache: str) -> None:
    """Save what the server would answer."""
    content = (Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_bytes()
    assert URL.encode() in content[:200], (
        "the package rocrate beside the validator holds another context; see envs/standards.txt"
    )
    answer = requests.Response()
    answer.status_code, answer.url, answer._content = 200, URL, content
    answer.headers["Content-Type"] = "application/ld+json"
    answer.request = requests.Request("GET", URL).prepare()
    answer.raw = HTTPResponse(io.BytesIO(content), headers=dict(answer.headers), status=200, preload_content=False)
    answer.raw._request_url = URL
    CachedSession(cache, backend="sqlite", expire_after=-1, allowable_methods=("GET",)).cache.save_response(answer)


if __name__ == "__main__":
    main(sys.argv[1])
