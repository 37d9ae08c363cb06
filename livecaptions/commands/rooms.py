"""``livecaptions rooms``: list the live rooms of a server, delete what was said in one, and give terms to expect."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer

from captions.errors import SetupError
from captions.term_lines import write_terms
from captions.terms import Term
from livecaptions.commands.send import DEFAULT_SERVER
from livecaptions.term_files import terms_in
from livecaptions_client import RefusedError, UnreachableError
from livecaptions_client.address import LOOPBACK, check_address, http_url

TIMEOUT = 60.0
"""Seconds. A deletion answers once the server shows nothing of the room any more."""

app = typer.Typer(no_args_is_help=True, help="List live rooms, delete what was said in one, and give terms to expect.")

Server = Annotated[str, typer.Option("--server", "--url", help="The server.")]
Token = Annotated[str | None, typer.Option(help="The token, if the server requires one.")]
Tenant = Annotated[str | None, typer.Option(help="Its tenant, if the token operates the rooms of all.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the server's answer as JSON.")]


@app.command()
def delete(
    room: Annotated[str, typer.Argument(help="The room.")],
    tenant: Tenant = None,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Delete what was said in ROOM until now, and print when the last of it is gone. Sessions go on."""
    query = {} if tenant is None else {"tenant": tenant}
    response = _request("DELETE", server, f"/v1/rooms/{quote(room, safe='')}", query, token)
    if as_json:
        typer.echo(response.text)
        return
    answer: dict[str, Any] = response.json()
    typer.echo(f"{answer['room']}: nobody can read what was said before {answer['deleted_at']}")
    if answer["gone_by"] is None:
        typer.echo("the log keeps the bytes without a limit: give its topics a retention")
    elif answer["gone_by"] == answer["deleted_at"]:
        typer.echo("the bytes are gone")
    else:
        typer.echo(f"the last bytes are gone from the log by {answer['gone_by']}")


@app.command()
def glossary(
    room: Annotated[str | None, typer.Argument(help="The room. Without it: the glossary of all rooms.")] = None,
    set_file: Annotated[
        Path | None,
        typer.Option("--set", help="Replace the terms by those of a file, one a line; - is standard input."),
    ] = None,
    remove: Annotated[bool, typer.Option("--delete", help="Delete the glossary.")] = False,
    tenant: Tenant = None,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Print the terms to expect in ROOM, one a line, or change them: term | sounds like, sounds like | weight."""
    if set_file is not None and remove:
        raise SetupError("--set and --delete do not go together: leave one out")
    path = "/v1/glossary" if room is None else f"/v1/rooms/{quote(room, safe='')}/glossary"
    query = {} if tenant is None else {"tenant": tenant}
    if remove:
        terms = _request("GET", server, path, query, token).json()["terms"]
        _request("DELETE", server, path, query, token)
        count = "1 term" if len(terms) == 1 else f"{len(terms)} terms"
        typer.echo(f"Deleted the {count} of {room or 'all rooms'}.")
        return
    body = None if set_file is None else {"terms": [term.model_dump(mode="json") for term in terms_in(set_file)]}
    response = _request("GET" if body is None else "PUT", server, path, query, token, body)
    answer: dict[str, Any] = response.json()
    if as_json:
        typer.echo(response.text)
    elif body is None:
        typer.echo(write_terms(map(Term.model_validate, answer["terms"])), nl=False)
    else:
        typer.echo(f"{len(answer['terms'])} terms")
    if answer["left_out"] and not as_json:
        typer.echo(f"too many bytes for a stream, left out: {', '.join(answer['left_out'])}", err=True)


@app.command("list")
def list_rooms(server: Server = DEFAULT_SERVER, token: Token = None, as_json: AsJson = False) -> None:
    """Print the live rooms, one in a line, with their tracks."""
    response = _request("GET", server, "/v1/rooms", {}, token)
    if as_json:
        typer.echo(response.text)
        return
    for room in response.json():
        name = room["room"] if room["tenant"] is None else f"{room['tenant']}/{room['room']}"
        typer.echo(f"{name}: {', '.join(track['track'] for track in room['tracks'])}")


def _request(
    method: str, server: str, path: str, query: dict[str, str], token: str | None, body: object = None
) -> httpx.Response:
    """Send a request. Raises ``AddressError``, ``UnreachableError`` or ``RefusedError``."""
    base = http_url(server)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        with httpx.Client(timeout=TIMEOUT, trust_env=check_address(server).hostname not in LOOPBACK) as client:
            response = client.request(method, base + path, params=query, headers=headers, json=body)
        if response.is_success:
            return response
        refusal = response.json()
        raise RefusedError(str(refusal["code"]), str(refusal["message"]), None)
    except (httpx.TransportError, ValueError, KeyError, TypeError) as error:
        raise UnreachableError(f"{base} does not answer as livecaptions does: {error}") from error
