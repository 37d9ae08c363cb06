"""``livecaptions bench capacity``: how many live streams a server carries at the latency goals, beside its peers.

The benchmark itself, ``bench.capacity``, is not in the package: it comes with a clone of the repository.
"""

import importlib
import importlib.util
from pathlib import Path
from typing import Annotated, Any

import typer

from captions.errors import SetupError

NEEDED = ("bench.capacity", "jiwer", "matplotlib", "psutil", "whisper_normalizer")
"""What a clone has, and what the extra ``bench`` installs."""

app = typer.Typer(help="Measure a server.", no_args_is_help=True)


@app.command()
def capacity(
    url: Annotated[str | None, typer.Option(help="A running server; else one is started for every level.")] = None,
    streams: Annotated[str, typer.Option(help="Numbers like 1,2,4,8; or ramp: doubled, then narrowed down.")] = "ramp",
    audio: Annotated[
        str, typer.Option(help="talk, or a folder of sound with words beside it: .ctm or .words.tsv.")
    ] = "talk",
    seconds: Annotated[float, typer.Option(min=5, help="That every stream speaks, at most.")] = 60.0,
    json: Annotated[Path | None, typer.Option(help="Write the figures into this file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write a picture (PNG) into this file.")] = None,
    peer: Annotated[
        list[str] | None, typer.Option(help="whisperlive or whisperlivekit: measured too; may be repeated.")
    ] = None,
    model: Annotated[str, typer.Option(help="Of the servers that are started: a name or a folder.")] = "tiny.en",
    threads: Annotated[int, typer.Option(min=0, help="Of one decode of ours; 0: as the server chooses.")] = 0,
    decoders: Annotated[int, typer.Option(min=0, help="Batches that ours decodes at once; 0: the same.")] = 0,
    cores: Annotated[int | None, typer.Option(min=1, help="Keep the servers that are started to so many.")] = None,
    pid: Annotated[
        list[int] | None, typer.Option(help="With --url: a process of the server on this machine; may be repeated.")
    ] = None,
    language: Annotated[str, typer.Option(help="That is spoken, BCP 47.")] = "en",
    token: Annotated[str | None, typer.Option(help="Where the server at --url asks for one.")] = None,
    goal: Annotated[
        list[str] | None, typer.Option(help="Another goal, like final_p95=0.6 or word_shown_p50=none; may be repeated.")
    ] = None,
) -> None:
    """Add live streams until a latency goal breaks, and print what each number of them gave: docs/capacity.md."""
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
    """The benchmark. Raises ``SetupError`` where a part of it is missing."""
    if missing := [name for name in NEEDED if not _is_there(name)]:
        raise SetupError(
            "capacity is measured from a clone of the repository: in the clone, pip install -e '.[bench]' "
            f"(missing here: {', '.join(missing)})"
        )
    # a plugin, loaded by name: the product imports nothing that it is developed with
    return importlib.import_module("bench.capacity.session")


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # what it is a part of is not there, or another package has that name
        return False
