"""``livecaptions keys``: create, list and revoke API keys."""

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from auth.keys_file import Key, KeysFile
from captions.access import Right
from captions.errors import SetupError
from captions.explain import explain
from captions.limits import Allowance
from livecaptions.clock import SystemClock
from livecaptions.settings.load import load

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke API keys.")

WIDE = 400
"""Columns of a list that a program reads, one line a key."""
LONGEST = 100 * 365 * 86_400  # seconds
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}

KeysFileOption = Annotated[
    Path | None, typer.Option("--keys-file", help="The file of keys; else the setting keys_file.")
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="A TOML file with the setting keys_file.")]


@app.command()
def create(
    keys_file: KeysFileOption = None,
    config: ConfigOption = None,
    rooms: Annotated[str, typer.Option(help="Names of rooms, or patterns with *, separated by commas.")] = "*",
    rights: Annotated[
        str, typer.Option(help="Of publish, view, edit, manage and operate, by commas.")
    ] = "publish,view",
    tenant: Annotated[str | None, typer.Option(help="Whose rooms they are; none: rooms without a tenant.")] = None,
    expires: Annotated[str | None, typer.Option(help="Such as 12h or 30d; none: the key never expires.")] = None,
    name: Annotated[str | None, typer.Option(help="What the key is for, as list and the audit log show it.")] = None,
    limits: Annotated[
        str | None, typer.Option(help='Its own limits as JSON, such as {"sessions": 20}; none: those of the settings.')
    ] = None,
) -> None:
    """Create a key, and the file if it is missing. The last line printed is the key; it is shown only now."""
    now = int(SystemClock().wall())
    key, secret = _file(keys_file, config).create(
        now,
        rooms=_split("--rooms", rooms),
        rights=_rights(rights),
        tenant=tenant,
        name=name,
        expires_at=None if expires is None else now + _duration(expires),
        limits=None if limits is None else _limits(limits),
    )
    typer.echo(f"Key {key.id}: {_described(key)}.")
    typer.echo("It is shown only now: the file keeps its SHA-256.")
    typer.echo(secret)


@app.command("list")
def list_(
    keys_file: KeysFileOption = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with times in Unix seconds.")] = False,
) -> None:
    """List the keys, without their secrets."""
    keys = _file(keys_file, config).read().keys
    now = SystemClock().wall()
    if as_json:
        typer.echo(json.dumps([_as_json(key, now) for key in keys], indent=2))
        return
    table = Table("id", "state", "name", "tenant", "rooms", "rights", "created", "expires", box=None, pad_edge=False)
    for key in keys:
        table.add_row(
            key.id,
            key.state(now),
            key.name or "",
            key.tenant or "",
            ",".join(key.rooms),
            ",".join(sorted(key.rights)),
            _date(key.created_at),
            "never" if key.expires_at is None else _date(key.expires_at),
        )
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)


@app.command()
def revoke(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as list shows it, or the key itself.")],
    keys_file: KeysFileOption = None,
    config: ConfigOption = None,
) -> None:
    """Revoke a key. Gateways that read the file disconnect its clients within 5 seconds."""
    key = _file(keys_file, config).revoke(identifier, int(SystemClock().wall()))
    typer.echo(f"Key {key.id} is revoked. Its connections, and those of tokens made with it, end within 5 seconds.")


def _file(keys_file: Path | None, config: Path | None) -> KeysFile:
    flags = {} if keys_file is None else {"keys_file": str(keys_file)}
    path = load(flags, config).settings.keys_file
    if path is None:
        raise SetupError("no keys file: name it with --keys-file, LIVECAPTIONS_KEYS_FILE or the setting keys_file")
    return KeysFile(path)


def _limits(text: str) -> Allowance:
    """A key's own limits. Raises ``SetupError``."""
    try:
        return Allowance.model_validate_json(text)
    except ValidationError as error:
        raise SetupError(f"--limits {text}: {explain(error)}; docs/limits.md has the names") from error


def _split(option: str, listed: str) -> tuple[str, ...]:
    words = tuple(word for part in listed.split(",") if (word := part.strip()))
    if not words:
        raise SetupError(f"{option}: name one or more, separated by commas")
    return words


def _rights(listed: str) -> frozenset[Right]:
    names = _split("--rights", listed)
    for name in names:
        if name not in set(Right):
            raise SetupError(f"there is no right {name}; rights are {', '.join(Right)}")
    return frozenset(map(Right, names))


def _duration(text: str) -> int:
    """Seconds of a duration such as ``30d``. Raises ``SetupError``."""
    match = re.fullmatch(r"([1-9][0-9]{0,8})([smhdw])", text)
    if match is None:
        raise SetupError(f"--expires {text}: write a number with s, m, h, d or w behind it, such as 30d")
    seconds = int(match[1]) * SECONDS[match[2]]
    if seconds > LONGEST:
        raise SetupError(f"--expires {text}: a hundred years at most; leave it out for a key that never expires")
    return seconds


def _described(key: Key) -> str:
    tenant = "" if key.tenant is None else f" of tenant {key.tenant}"
    end = "never expires" if key.expires_at is None else f"expires {_date(key.expires_at)}"
    return f"{', '.join(sorted(key.rights))} in rooms {', '.join(key.rooms)}{tenant}; {end}"


def _date(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _as_json(key: Key, now: float) -> dict[str, object]:
    shown = key.model_dump(mode="json", exclude={"sha256"})
    return {**shown, "rights": sorted(key.rights), "state": key.state(now)}
