"""The command line. Exit codes: 0 done, 1 failed, 2 the settings, the model or the machine are not as they must be."""

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
from livecaptions.commands.send import send
from livecaptions.commands.serve import gateway, serve, worker
from livecaptions.commands.top import top
from livecaptions.commands.topics import topics
from livecaptions.commands.watch import watch
from livecaptions.settings.flags import takes_settings
from livecaptions_client import AddressError, ClientError, UnreachableError

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
    """Live captions: audio in over a WebSocket, captions out whose stable words stand still."""


app.command()(takes_settings(serve))
app.command()(takes_settings(gateway))
app.command()(takes_settings(worker))
app.command()(takes_settings(topics))
app.command()(send)
app.command()(watch)
app.command()(top)
app.command()(demo)
app.command()(takes_settings(check_config))
app.command()(health)
app.add_typer(bench, name="bench")


def main() -> None:
    """Run the command line; what is wrong with the set-up is said without a traceback."""
    try:
        app()
    except (SetupError, AddressError) as error:
        _exit(error, 2)
    except BrokenPipeError:  # whoever read the output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to flush goes nowhere
        sys.exit(1)
    except UnreachableError as error:
        _exit(error if error.reached else f"{error} --url names another", 1)
    except (LivecaptionsError, ClientError, OSError) as error:
        _exit(error, 1)
    except KeyboardInterrupt:
        sys.exit(130)


def _exit(error: Exception | str, code: int) -> None:
    print(f"livecaptions: {error}", file=sys.stderr)  # noqa: T201 - the command line's own output
    sys.exit(code)


if __name__ == "__main__":
    main()
