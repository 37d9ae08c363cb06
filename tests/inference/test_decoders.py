"""Engines by model name: what an utterance asks for decides, and nothing unknown stops it."""

import asyncio
from collections.abc import Hashable
from dataclasses import replace

import pytest
import structlog

from captions.records import AUDIO, CAPTIONS, PARTIALS, write_audio
from inference.decoders import MOST_WARNINGS, Decoders
from inference.engine.scripted import ScriptedEngine
from tests.inference.speaking import segments
from tests.support import RecordingProbe, decoders_of, memory_log, script_of, told, worker_on

SCRIPT, PCM = script_of(2)


class Small(ScriptedEngine):
    model_name = "small"
    revision = "aaaaaaaaaaaa"


class Large(ScriptedEngine):
    model_name = "large"
    revision = "bbbbbbbbbbbb"

    def batch_key(self, samples: int, *, final: bool) -> Hashable:
        return samples, final


@pytest.fixture
def decoders() -> Decoders:
    return decoders_of(Small(SCRIPT), Large(SCRIPT))


def test_a_name_picks_its_engine_and_none_the_default(decoders: Decoders) -> None:
    assert str(decoders.named("large").model) == "large@bbbbbbbbbbbb"
    assert str(decoders.named("small").model) == str(decoders.named(None).model) == "small@aaaaaaaaaaaa"


def test_an_unknown_name_gets_the_default_with_one_warning(decoders: Decoders) -> None:
    with structlog.testing.capture_logs() as logs:
        found = [decoders.named(model).model.name for model in ("huge", "huge", "tiny", "huge")]
    assert found == ["small"] * 4
    assert [(log["event"], log["log_level"], log["model"]) for log in logs] == [
        ("model_unknown", "warning", "huge"),
        ("model_unknown", "warning", "tiny"),
    ]


def test_names_that_publishers_make_up_are_not_remembered_without_end(decoders: Decoders) -> None:
    with structlog.testing.capture_logs() as logs:
        for number in range(2 * MOST_WARNINGS):
            decoders.named(f"made up {number}")
    assert len(logs) == MOST_WARNINGS


def test_batches_never_mix_models(decoders: Decoders) -> None:
    keys = {model: decoders.batch_key(model, 16_000, final=True) for model in (None, "small", "large", "huge")}
    assert keys[None] == keys["small"] == keys["huge"]
    assert keys["large"] != keys["small"]
    assert keys["large"] != decoders.batch_key("large", 32_000, final=True)


@pytest.mark.looptime
async def test_each_utterance_is_decoded_by_the_model_that_it_asks_for_and_its_final_says_so() -> None:
    log, probe = memory_log(), RecordingProbe()
    async with worker_on(log, Small(SCRIPT), Large(SCRIPT), delay=0.01, probe=probe):
        for track, model in (("a", None), ("b", "large"), ("c", "huge")):
            for segment in segments(PCM, track):
                settings = segment.settings and replace(segment.settings, model=model)
                await log.append(AUDIO, write_audio(replace(segment, settings=settings)))
        await asyncio.sleep(5)
    finals = (await told(log, CAPTIONS)).finals
    assert {(final.track, final.model) for final in finals} == {
        ("a", "small@aaaaaaaaaaaa"),
        ("b", "large@bbbbbbbbbbbb"),
        ("c", "small@aaaaaaaaaaaa"),
    }
    assert len(finals) == 6
    assert {partial.model for partial in (await told(log, PARTIALS)).partials} <= {None}
    assert {model for _, (_, model, *_) in probe.calls["decoded"]} == {"small", "large"}


@pytest.mark.looptime
async def test_failures_are_those_of_their_model_and_an_empty_final_names_none() -> None:
    log, probe = memory_log(), RecordingProbe()
    async with worker_on(log, Small(SCRIPT, failures=lambda request: request.final), probe=probe):
        for segment in segments(PCM):
            await log.append(AUDIO, write_audio(segment))
        await asyncio.sleep(5)
    assert set(probe.values("decode_failed")) == {"small"}
    assert [(final.text, final.model) for final in (await told(log, CAPTIONS)).finals] == [("", None)] * 2
