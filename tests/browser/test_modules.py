"""The pages' logic, module by module, in the browser that runs it."""

import pytest
from playwright.async_api import Browser

from livecaptions.talk import text
from tests.browser.conftest import opened
from tests.browser.scripted import Scripted

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_lines_never_jump_and_words_never_exceed_them(browser: Browser, scripted: Scripted) -> None:
    """A sentence grows word by word; where a line began, it goes on beginning."""
    page = await opened(browser, f"{scripted.http}/r/layout")
    problems = await page.evaluate(
        """async (said) => {
          const { layOut, WIDTH } = await import("/static/lines.js");
          const problems = [], began = new Set();
          let before = [];
          for (let count = 1; count <= said.length; count += 1) {
            const heard = said.slice(0, count);
            if (count % 3 === 0) heard[count - 1] = heard[count - 1].slice(0, 2);
            const lines = layOut(heard, " ", Math.max(0, count - 3), began);
            const texts = lines.map((line) => line.map((w) => w.text).join(" "));
            for (const line of texts) if (line.length > WIDTH) problems.push(["wide", line]);
            const starts = lines.map((line, at) => lines.slice(0, at).flat().length);
            if (before.some((start) => start < count && !starts.includes(start))) problems.push(["jumped", count]);
            before = starts;
          }
          return problems;
        }""",
        text().split(),
    )
    assert problems == []


async def test_wide_characters_take_two_columns(browser: Browser, scripted: Scripted) -> None:
    page = await opened(browser, f"{scripted.http}/r/layout")
    lines = await page.evaluate(
        """async () => {
          const { layOut } = await import("/static/lines.js");
          return layOut([..."字幕は一行に二十一文字まで入りそれより長い文は次の行へ続く"], "", 99, new Set())
            .map((line) => line.map((word) => word.text).join(""));
        }"""
    )
    assert [len(line) for line in lines] == [21, 8]


async def test_only_newer_versions_are_news(browser: Browser, scripted: Scripted) -> None:
    page = await opened(browser, f"{scripted.http}/r/versions")
    taken = await page.evaluate(
        """async () => {
          const { Versions } = await import("/static/client/versions.js");
          const held = new Versions();
          const of = (pass, revision) => held.take(
            { track: "main", utterance: 1, pass, revision, started_at: "2026-11-23T17:58:03.120Z" }) !== null;
          const live = [2, 1, 2, 3].map((revision) => of("live", revision));
          return [...live, of("refined", 1), of("live", 9), of("edited", 0)];
        }"""
    )
    assert taken == [True, False, False, True, True, False, True]


async def test_unacknowledged_audio_is_bounded_and_arrives_once_in_order(browser: Browser, scripted: Scripted) -> None:
    """A thousand random lives of a session; every byte bears its number."""
    page = await opened(browser, f"{scripted.http}/r/audio")
    problems = await page.evaluate(
        """async () => {
          const { Unacknowledged } = await import("/static/client/unacknowledged.js");
          let seed = 7;
          const random = (below) => { seed = (seed * 1103515245 + 12345) % 2147483648; return (seed >> 8) % below; };
          const problems = new Set();
          for (let life = 0; life < 1000; life += 1) {
            const most = 40 + random(40), kept = new Unacknowledged(most, 20), server = [];
            let spoken = 0, lost = 0, acknowledged = 0, skip = 0;
            const send = () => {
              for (let frame = kept.next(); frame; frame = kept.next()) {
                for (const byte of frame) if (skip > 0) skip -= 1; else server.push(byte);
              }
            };
            const acknowledge = (offset) => { acknowledged = offset; kept.acknowledge(offset); };
            while (spoken < 240) {
              const action = random(10);
              if (action < 5) lost += kept.push(Uint8Array.from({ length: 1 + random(6) }, () => spoken++));
              else if (action < 8) send();
              else if (action === 8) acknowledge(acknowledged + random(server.length - acknowledged + 1));
              else {
                skip = server.length - acknowledged;
                kept.resume(acknowledged);
              }
              if (kept.bytes > most) problems.add("unbounded");
              if (kept.inFlight > 20 || kept.inFlight < 0) problems.add(`${kept.inFlight} bytes in flight`);
            }
            for (let round = 0; kept.bytes && round < 99; round += 1) {
              send();
              acknowledge(server.length);
            }
            if (server.some((byte, at) => at && byte <= server[at - 1])) problems.add("out of order, or twice");
            if (server.length + lost !== spoken) problems.add("missing, beside what was given up");
          }
          return [...problems];
        }"""
    )
    assert problems == []


@pytest.mark.parametrize(("right", "level"), [(-1, 0.354), (1, 0.354), (0, 0.177)])
async def test_channels_of_opposite_phase_do_not_cancel_each_other(
    browser: Browser, scripted: Scripted, right: int, level: float
) -> None:
    page = await opened(browser, f"{scripted.http}/r/worklet")
    heard = await page.evaluate(
        """async (right) => {
          const context = new OfflineAudioContext(2, 16000, 16000);
          await context.audioWorklet.addModule("/static/client/capture-worklet.js");
          const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, processorOptions: { fold: 1 } });
          const levels = [];
          node.port.onmessage = ({ data }) => levels.push(data.level);
          const tone = new OscillatorNode(context, { frequency: 440 });
          const both = new ChannelMergerNode(context, { numberOfInputs: 2 });
          [0.5, 0.5 * right].forEach((gain, n) => tone.connect(new GainNode(context, { gain })).connect(both, 0, n));
          both.connect(node);
          tone.start();
          await context.startRendering();
          await new Promise((resolve) => setTimeout(resolve, 100));
          return levels;
        }""",
        right,
    )
    assert heard[3:] == pytest.approx([level] * len(heard[3:]), abs=0.01)


async def test_a_fast_sound_card_is_folded_to_what_the_server_takes(browser: Browser, scripted: Scripted) -> None:
    page = await opened(browser, f"{scripted.http}/r/worklet")
    heard = await page.evaluate(
        """async () => {
          const context = new OfflineAudioContext(1, 96000, 96000);
          await context.audioWorklet.addModule("/static/client/capture-worklet.js");
          const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, processorOptions: { fold: 2 } });
          const frames = [];
          node.port.onmessage = ({ data }) => frames.push(data);
          const tone = new OscillatorNode(context, { frequency: 440 });
          tone.connect(node);
          tone.start();
          await context.startRendering();
          await new Promise((resolve) => setTimeout(resolve, 100));
          const samples = frames.flatMap(({ samples }) => [...new Int16Array(samples)]);
          const rises = samples.filter((sample, at) => at && samples[at - 1] < 0 && sample >= 0).length;
          return { bytes: frames[0].samples.byteLength, frames: frames.length, rises, level: frames[3].level };
        }"""
    )
    assert heard["bytes"] == 1920 * 2
    assert heard["frames"] == 25
    assert abs(heard["rises"] - 440) <= 1
    assert heard["level"] == pytest.approx(0.707, abs=0.01)
