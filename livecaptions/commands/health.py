"""``livecaptions health``: checks whether a server is alive, for people and for container runtimes.

Container runtimes run ``python -m livecaptions.commands.health`` twice a minute, which imports a tenth of the program.
"""

import urllib.error
import urllib.request
from typing import Annotated

import typer

from livecaptions_client.address import LOOPBACK, check_address

TIMEOUT = 4.0
"""Seconds that the request may take."""


def health(
    url: Annotated[str, typer.Argument(help="The server, or a worker's metrics port.")] = "http://localhost:8080",
) -> None:
    """Check whether a server is alive. The exit code is 0 if it is, otherwise 1."""
    parts = check_address(url)
    scheme = "https" if parts.scheme in {"https", "wss"} else "http"
    address = f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/healthz"
    # do not use a proxy for this machine
    direct = [urllib.request.ProxyHandler({})] if parts.hostname in LOOPBACK else []
    try:
        with urllib.request.build_opener(*direct).open(address, timeout=TIMEOUT):
            typer.echo(f"{address} answers")
    except urllib.error.HTTPError as error:
        _fail(f"{address} answers with HTTP {error.code}")
    except OSError as error:
        _fail(f"{address} does not answer: {getattr(error, 'reason', error)}")


def _fail(message: str) -> None:
    typer.echo(f"livecaptions: {message}", err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(health)
