"""Whether transcribing twice gives the same: finals decoded again in other ways."""

from collections.abc import Sequence

from bench.words.corpus import speech
from bench.words.cuts import cuts
from bench.words.models import load, path_of
from captions.audio import Pcm
from captions.ports.engine import DecodeRequest
from inference.engine import WhisperEngine, load_engine

BATCH = 8
LANGUAGE = "en"


def print_table(model: str) -> None:
    """Print how many finals have the very same text in each way of decoding as one at a time on one thread."""
    engine = load(model)
    said = [one.pcm for recording in speech(LANGUAGE) for one in cuts(recording.pcm)]
    first = texts(engine, said, 1)
    print(f"{model}: {len(said)} English finals; the first way is int8, one at a time, on one thread\n")
    print("| decoded again | the same text |\n|---|---|")
    _row("in the same way", first, texts(engine, said, 1))
    _row(f"in batches of {BATCH}", first, texts(engine, said, BATCH))
    _row("in reverse order", first, texts(engine, said[::-1], 1)[::-1])
    _row("by an engine loaded anew, on two threads", first, texts(_engine(model, "int8", 2), said, 1))
    _row("in float32 instead of int8", first, texts(_engine(model, "float32", 1), said, 1))


def texts(engine: WhisperEngine, said: Sequence[Pcm], batch: int) -> list[str]:
    """The text of each final, decoded so many at a time."""
    found: list[str] = []
    for at in range(0, len(said), batch):
        requests = [DecodeRequest(pcm=pcm, language=LANGUAGE, final=True) for pcm in said[at : at + batch]]
        found += [" ".join(word.text for word in one.words) for one in engine.decode(requests)]
    return found


def _engine(model: str, compute_type: str, threads: int) -> WhisperEngine:
    return load_engine(path_of(model), device="cpu", threads=threads, compute_type=compute_type)


def _row(label: str, first: Sequence[str], again: Sequence[str]) -> None:
    same = sum(one == other for one, other in zip(first, again, strict=True))
    print(f"| {label} | {same} of {len(first)} |", flush=True)
