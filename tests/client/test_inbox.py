import asyncio

import pytest

from livecaptions_client import Ack, Caption, Event, inbox
from livecaptions_client.events import reconnecting
from livecaptions_client.inbox import Inbox
from tests.client.messages import caption_of


def ack(offset: int) -> Ack:
    return Ack(offset=offset, json={})


async def rest(box: Inbox) -> list[Event]:
    box.close()
    events = []
    while (event := await box.next()) is not None:
        events.append(event)
    return events


async def test_events_come_out_in_order_and_a_reader_waits_for_them() -> None:
    box = Inbox()
    reading = asyncio.create_task(box.next())
    await asyncio.sleep(0)
    assert not reading.done()
    box.put(ack(1))
    box.put(ack(2))
    assert await reading == ack(1)
    assert await rest(box) == [ack(2)]
    assert await box.next() is None


async def test_many_that_nobody_reads_are_thinned_to_what_still_says_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "COMPACTION_SIZE", 5)
    box = Inbox()
    lost = reconnecting("gone")
    final = caption_of("So the log", final=True, revision=3)
    edited = caption_of("So the logs", final=True, **{"pass": "edited"})
    other = caption_of("And", utterance=2)
    for event in (lost, caption_of("So"), ack(1), caption_of("So the", revision=2), ack(2), final, edited, other):
        box.put(event)
    assert await rest(box) == [lost, ack(2), final, edited, other]


async def test_it_does_not_grow_while_an_utterance_is_revised() -> None:
    box = Inbox()
    for revision in range(10 * inbox.COMPACTION_SIZE):
        box.put(caption_of("So", revision=revision))
    events = await rest(box)
    assert len(events) <= inbox.COMPACTION_SIZE + 1
    assert isinstance(events[-1], Caption)
    assert events[-1].revision == 10 * inbox.COMPACTION_SIZE - 1
