"""``livecaptions bench capacity``: how many live streams a server carries within the latency goals.

The benchmark itself, ``bench.capacity``, is not part of the package. It comes with a clone of the repository.
"""

import importlib
import importlib.util
from pathlib import Path
from typing import Annotated, Any

import typer

from captions.errors import SetupError

NEEDED = ("bench.capacity", "jiwer", "matplotlib", "psutil", "whisper_normalizer")
"""Modules that a clone contains, or that the extra ``bench`` installs."""

app = typer.Typer(help="Measure a server.", no_args_is_help=True)


@app.command()
def capacity(
    url: Annotated[str | None, typer.Option(help="A running server. Without it, each level starts one.")] = None,
    streams: Annotated[
        str, typer.Option(help="Numbers of streams such as 1,2,4,8; or ramp, which doubles, then narrows down.")
    ] = "ramp",
    audio: Annotated[
        str, typer.Option(help="talk, or a folder of audio files, each with a .ctm or .words.tsv file of its words.")
    ] = "talk",
    seconds: Annotated[float, typer.Option(min=5, help="The longest time that each stream speaks.")] = 60.0,
    json: Annotated[Path | None, typer.Option(help="Write the results to this JSON file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write a plot to this PNG file.")] = None,
    peer: Annotated[
        list[str] | None, typer.Option(help="Also measure whisperlive or whisperlivekit. May be repeated.")
    ] = None,
    model: Annotated[str, typer.Option(help="The model of the started servers: a name or a folder.")] = "tiny.en",
    threads: Annotated[int, typer.Option(min=0, help="Threads per decode; 0 leaves the choice to the server.")] = 0,
    decoders: Annotated[int, typer.Option(min=0, help="Batches decoded at once; 0 leaves it to the server.")] = 0,
    cores: Annotated[int | None, typer.Option(min=1, help="Limit the started servers to this many cores.")] = None,
    pid: Annotated[
        list[int] | None, typer.Option(help="With --url: a process of the server on this machine. May be repeated.")
    ] = None,
    language: Annotated[str, typer.Option(help="The spoken language, as a BCP 47 tag.")] = "en",
    token: Annotated[str | None, typer.Option(help="The token, if the server at --url requires one.")] = None,
    goal: Annotated[
        list[str] | None,
        typer.Option(help="Change a goal, for example final_p95=0.6 or word_shown_p50=none. May be repeated."),
    ] = None,
) -> None:
    """Add live streams until a latency goal breaks, and print the results of each level. See docs/capacity.md."""
    benchmark = _benchmark()
    session = benchmark.Session(
        url=url,
        streams=streams,
        audio=audio,
        seconds=seconds,
        peers=tuple(peer or ()),
        model=model,
        threads=threads,
        decoders=decoders,
        cores=cores,
        pids=tuple(pid or ()),
        language=language,
        token=token,
        goals=tuple(goal or ()),
    )
    benchmark.measure(session, json=json, plot=plot)


def _benchmark() -> Any:  # noqa: ANN401 - a module, which import-linter must not see here
    """Import the benchmark. Raises ``SetupError`` if a part of it is missing."""
    if missing := [name for name in NEEDED if not _is_installed(name)]:
        raise SetupError(
            "this benchmark needs a clone of the repository: in the clone, run pip install -e '.[bench]' "
            f"(missing here: {', '.join(missing)})"
        )
    # loaded by name, because the package must not import development code
    return importlib.import_module("bench.capacity.session")


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # the parent is missing, or another package has its name
        return False
