"""A real browser, headless, driven by the Chrome DevTools Protocol over the websocket client of aiohttp."""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

#: Set where a missing browser is a failure, not a reason to skip.
REQUIRED = "REQUIRE_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE_S = 30.0


class Browser:
    """One page of a headless browser; its protocol runs on a loop of its own, in a thread."""

    def __init__(self, program: str, profile: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._process = subprocess.Popen(
            [
                program,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-proxy-server",
                "--host-resolver-rules=MAP rebound.example 127.0.0.1",
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._serial = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        #: Errors that scripts of the page raised or wrote to the console.
        self.errors: list[str] = []
        port = until(lambda: _debugging_port(profile))
        self._run(self._connect(port))
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        until(lambda: self.evaluate("document.readyState") == "complete")

    def call(self, method: str, **parameters: Any) -> Any:
        """A command of the protocol, and what it answers."""
        return self._run(self._send(method, parameters))

    def evaluate(self, expression: str) -> Any:
        """What JavaScript makes of ``expression`` in the page; promises are awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """The text that a person sees of an element; "" where there is none."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def click(self, selector: str) -> None:
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def type(self, selector: str, text: str) -> None:
        """Type ``text`` into an emptied field, key by key as a person does."""
        self.evaluate(
            f"(e => {{ e.focus(); e.value = ''; e.dispatchEvent(new Event('input', {{bubbles: true}})); }})"
            f"(document.querySelector({json.dumps(selector)}))"
        )
        self.call("Input.insertText", text=text)

    def screenshot(self, path: Path, *, dark: bool, width: int = 1440, height: int = 1800) -> None:
        """The page as it looks, for a person to judge."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def close(self) -> None:
        self._run(self._session.close())
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _connect(self, port: int) -> None:
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://127.0.0.1:{port}/json/list") as answer:
            pages = [one for one in await answer.json() if one["type"] == "page"]
        self._socket = await self._session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0)
        self._reader = asyncio.create_task(self._read())

    async def _send(self, method: str, parameters: dict[str, Any]) -> Any:
        self._serial += 1
        waiting = self._waiting[self._serial] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._serial, "method": method, "params": parameters})
        return await asyncio.wait_for(waiting, PATIENCE_S)

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                waiting = self._waiting.pop(said["id"])
                if "error" in said:
                    waiting.set_exception(AssertionError(said["error"]))
                else:
                    waiting.set_result(said["result"])
            elif said["method"] == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(said["params"]["exceptionDetails"]))
            elif said["method"] == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
                self.errors.append(f"{said['params']['entry']['text']} {said['params']['entry'].get('url', '')}")


def until(look: Any) -> Any:
    """What ``look`` gives as soon as it gives anything; fails when that takes too long."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"it did not come to pass within {PATIENCE_S:.0f} s")


@pytest.fixture(name="until")
def until_fixture() -> Any:
    """`until` for tests, which cannot import from here."""
    return until


def _debugging_port(profile: Path) -> int | None:
    try:
        return int((profile / "DevToolsActivePort").read_text().splitlines()[0])
    except (FileNotFoundError, IndexError):
        return None


@pytest.fixture(scope="session")
def browser_program() -> str:
    """Where the browser is; skips, loudly, where there is none, and fails where one is required."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        why = f"no browser was found (looked for {', '.join(NAMES)}); on Debian: apt-get install chromium"
        if os.environ.get(REQUIRED):
            pytest.fail(f"{why}. {REQUIRED} is set.")
        pytest.skip(why)
    return found


@pytest.fixture(scope="session")
def started_browser(browser_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    started = Browser(browser_program, tmp_path_factory.mktemp("browser") / "profile")
    try:
        yield started
    finally:
        started.close()


@pytest.fixture
def browser(started_browser: Browser) -> Browser:
    """The browser of this session, with an empty page."""
    started_browser.open("about:blank")
    started_browser.errors.clear()
    return started_browser
