"""One gateway or worker that is scraped: its last metrics, and its recent counts."""

import httpx

from captions.errors import LivecaptionsError
from livecaptions.top.scrape import Scrape, read_scrape
from livecaptions.top.window import Window
from livecaptions_client.address import LOOPBACK, check_address, http_url


class NoAnswerError(LivecaptionsError):
    """A target does not answer, or not with its metrics."""


class Target:
    """One target. ``window`` and ``timeout`` are in seconds. Raises ``AddressError`` if ``address`` is invalid."""

    def __init__(self, address: str, *, window: float, timeout: float, token: str | None = None) -> None:
        parts = check_address(address)
        self.url = http_url(address).removesuffix("/metrics")
        self.window = Window(window)
        self.now: Scrape | None = None
        """None while the target is unreachable."""
        self.error: str | None = None
        """Why the target is unreachable; None if it answers."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        # do not use a proxy for this machine
        self._client = httpx.AsyncClient(timeout=timeout, trust_env=parts.hostname not in LOOPBACK, headers=headers)

    async def scrape(self, at: float) -> None:
        """Fetch the metrics. ``at`` is the current time in seconds."""
        try:
            self.now = read_scrape(await self._page(), at)
        except LivecaptionsError as error:
            self.now, self.error = None, str(error)
            self.window.forget(at)
        else:
            self.error = None
            self.window.add(self.now)

    async def _page(self) -> str:
        try:
            response = await self._client.get(f"{self.url}/metrics")
        except httpx.TimeoutException as error:
            raise NoAnswerError("timed out") from error
        except httpx.TransportError as error:
            raise NoAnswerError(str(error) or type(error).__name__) from error
        if response.status_code != httpx.codes.OK:
            needs = {401: ": it needs --token", 403: ": the token has no right to operate"}
            raise NoAnswerError(f"HTTP {response.status_code}{needs.get(response.status_code, '')}")
        return response.text

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()
