"""A page in headless Chromium over the DevTools protocol: what it asks for, what it logs, what it looks like."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--disable-quic", "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip

CONTRAST = """(() => {
  const dot = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (colour) => {
    dot.clearRect(0, 0, 1, 1); dot.fillStyle = colour; dot.fillRect(0, 0, 1, 1);
    return [...dot.getImageData(0, 0, 1, 1).data];
  };
  const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; }
  };
  const out = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join('');
    if (!own || !e.getClientRects().length || ['SCRIPT', 'OPTION'].includes(e.tagName)) continue;
    const style = getComputedStyle(e), a = light(rgb(e.closest('svg') ? style.fill : style.color)), b = light(ground(e));
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < BELOW) out.push([own.slice(0, 40), contrast]);
  }
  return out;
})()"""


def find_chromium() -> str | None:
    """Path of a Chromium, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page:
    """One tab; ``events`` holds every message of the page's network, console and script errors."""

    def __init__(self, profile: Path, width: int = 1300, height: int = 900):
        import websocket

        command = [find_chromium(), *FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}", "about:blank"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.search(r"ws://([\d.:]+)/", line):
                break
        with urllib.request.urlopen(f"http://{found[1]}/json") as answer:
            target = next(t for t in json.load(answer) if t["type"] == "page")
        self.socket = websocket.create_connection(target["webSocketDebuggerUrl"], suppress_origin=True, timeout=300)
        self.ids, self.events = itertools.count(1), []
        for domain in ("Network", "Runtime", "Log", "Page"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        self.process.terminate()
        self.process.wait(60)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command, keep what arrives before its answer."""
        number = next(self.ids)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (message := json.loads(self.socket.recv())).get("id") != number:
            self.events.append(message)
        return message.get("result", message)

    def open(self, address: str) -> None:
        """Load a page and wait for it."""
        self.call("Page.navigate", url=address)
        self.receive_until(lambda: any(e.get("method") == "Page.loadEventFired" for e in self.events))

    def receive_until(self, seen: Callable[[], bool]) -> None:
        """Keep what arrives until something is seen in it; an error of the socket after five minutes of silence."""
        while not seen():
            self.events.append(json.loads(self.socket.recv()))

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def requests(self) -> list[str]:
        """Addresses the page asked for."""
        return [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """Console messages, refused resources and script errors."""
        wanted = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        return [json.dumps(e["params"])[:300] for e in self.events if e.get("method") in wanted]

    def screenshot(self, path: Path) -> None:
        """A PNG of the whole page."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]))

    def resize(self, width: int, height: int) -> None:
        """Another window, in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def printed(self) -> int:
        """Number of pages on A4."""
        pdf = base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])
        return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))

    def accessibility(self, axe: str) -> list[str]:
        """What axe-core (its source) finds broken, each rule with its first element; what is folded is opened."""
        self.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        self.call("Runtime.evaluate", expression=axe)
        broken = "axe.run().then(r => r.violations.map(v => `${v.id}: ${v.nodes.length} x ${v.nodes[0].html.slice(0, 120)}`))"
        return self.call("Runtime.evaluate", expression=broken, awaitPromise=True, returnByValue=True)["result"]["value"]

    def contrasts(self, below: float) -> list[list[Any]]:
        """[text, contrast] of every element that holds text and has less contrast than ``below`` (WCAG 2.2, 1.4.3)."""
        return self.evaluate(CONTRAST.replace("BELOW", str(below)))
