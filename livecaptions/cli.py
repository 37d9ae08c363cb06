"""The command line. Exit codes: 0 success, 1 failure, 2 wrong settings, model or machine."""

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from captions.errors import LivecaptionsError, SetupError
from livecaptions.commands.bench import app as bench
from livecaptions.commands.check_config import check_config
from livecaptions.commands.demo import demo
from livecaptions.commands.health import health
from livecaptions.commands.keys import app as keys
from livecaptions.commands.rooms import app as rooms
from livecaptions.commands.send import send
from livecaptions.commands.serve import gateway, refine, serve, worker
from livecaptions.commands.top import top
from livecaptions.commands.topics import topics
from livecaptions.commands.watch import watch
from livecaptions.settings.flags import takes_settings
from livecaptions_client import AddressError, ClientError, RefusedError, UnreachableError

app = typer.Typer(
    name="livecaptions",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(*, asked: bool) -> None:
    if asked:
        print(f"livecaptions {version('livecaptions')}")  # noqa: T201 - the command line's own output
        raise typer.Exit


@app.callback()
def livecaptions(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=lambda asked: _version(asked=asked)
        ),
    ] = False,
) -> None:
    """Live captions: send audio over a WebSocket and receive captions whose stable words do not change."""


app.command()(takes_settings(serve))
app.command()(takes_settings(gateway))
app.command()(takes_settings(worker))
app.command()(takes_settings(refine))
app.command()(takes_settings(topics))
app.command()(send)
app.command()(watch)
app.command()(top)
app.command()(demo)
app.command()(takes_settings(check_config))
app.command()(health)
app.add_typer(keys, name="keys")
app.add_typer(rooms, name="rooms")
app.add_typer(bench, name="bench")


def main() -> None:
    """Run the command line. Expected errors are printed without a traceback."""
    try:
        app()
    except (SetupError, AddressError) as error:
        _exit(error, 2)
    except BrokenPipeError:  # the reader of the output has exited, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # discard the output that is still buffered
        sys.exit(1)
    except UnreachableError as error:
        _exit(error if error.reached else f"{error} Name another server with --url.", 1)
    except RefusedError as error:
        _exit(f"{error}. Name another one with --token." if error.code in {"unauthorized", "forbidden"} else error, 1)
    except (LivecaptionsError, ClientError, OSError) as error:
        _exit(error, 1)
    except KeyboardInterrupt:
        sys.exit(130)


def _exit(error: Exception | str, code: int) -> None:
    print(f"livecaptions: {error}", file=sys.stderr)  # noqa: T201 - the command line's own output
    sys.exit(code)


if __name__ == "__main__":
    main()
