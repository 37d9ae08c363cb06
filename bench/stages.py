"""CPU time of the stages of a decode, by batch size and model: ``python -m bench.stages [--model FOLDER]``.

The windows are the first 2 to 8 s of parts of the bundled talk, decoded as partials and as finals. The table shows CPU
milliseconds per window on one thread for features, encoder, search (prompt and steps of the decoder), alignment and the
rest, which is Python. Values are medians of repetitions.
"""

import logging
import time
from statistics import median
from typing import Annotated

import structlog
import typer

from bench.capacity.recordings import Loop, bundled_talk
from bench.clocked import Clocked
from captions.audio import SAMPLE_RATE, from_bytes, to_seconds
from captions.ports.engine import DecodeRequest
from inference.engine import WhisperEngine, load_engine
from inference.engine.features import LogMel
from inference.engine.windows import window_frames

LENGTHS = (2.0, 5.0, 3.0, 8.0, 4.0, 6.0, 2.5, 7.0)
STAGES = ("features", "encode", "generate", "align", "rest")


def windows(count: int, *, final: bool) -> list[DecodeRequest]:
    """Requests for the beginnings of ``count`` different parts of the talk."""
    talk = Loop([bundled_talk()])
    parts = [from_bytes(part.audio) for part in talk.parts(count, max(LENGTHS) + 2)]
    lengths = [LENGTHS[i % len(LENGTHS)] for i in range(count)]
    return [
        DecodeRequest(pcm=pcm[: round(length * SAMPLE_RATE)], language="en", final=final)
        for pcm, length in zip(parts, lengths, strict=True)
    ]


def measure(engine: WhisperEngine, clock: Clocked, requests: list[DecodeRequest]) -> dict[str, float]:
    """CPU seconds of one decode of all requests, by stage."""
    log_mel = LogMel(engine.model.n_mels)
    began = time.process_time()
    settings = engine.settings.of_finals() if requests[0].final else engine.settings
    for request in requests:
        log_mel(request.pcm, window_frames(len(request.pcm), engine.model.n_mels, settings))
    features = time.process_time() - began
    clock.seconds.clear()
    began = time.process_time()
    engine.decode(requests)
    total = time.process_time() - began
    spent = {"features": features} | {name: clock.seconds.get(name, 0.0) for name in ("encode", "generate", "align")}
    return spent | {"rest": max(0.0, total - sum(spent.values())), "total": total}


def main(
    model: Annotated[str, typer.Option(help="tiny.en, or the folder of a model.")] = "tiny.en",
    batches: Annotated[str, typer.Option(help="Batch sizes, separated by commas.")] = "1,2,4,8,16",
    repetitions: Annotated[int, typer.Option(min=1)] = 5,
) -> None:
    """Print the Markdown table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    loaded = load_engine(model, device="cpu", threads=1)
    clock = Clocked(loaded.model)
    engine = WhisperEngine(clock, loaded.tokenizer, name="bench", revision=loaded.revision)
    print(f"{loaded.model_name}, {loaded.compute_type}, 1 thread; CPU ms per window\n")
    print("| windows | batch | mean length | features | encoder | search | alignment | rest | all |")
    print("|---|---|---|---|---|---|---|---|---|")
    for final in (False, True):
        for size in map(int, batches.split(",")):
            requests = windows(size, final=final)
            engine.decode(requests)  # prepares the encoded silence
            runs = [measure(engine, clock, requests) for _ in range(repetitions)]
            cells = [f"{median(run[name] for run in runs) / size * 1000:.0f}" for name in (*STAGES, "total")]
            mean = sum(to_seconds(len(request.pcm)) for request in requests) / size
            kind = "finals" if final else "partials"
            print(f"| {kind} | {size} | {mean:.1f} s | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    typer.run(main)
