from datetime import UTC, datetime

from captions.caption import Caption, CaptionId, Pass, Version
from captions.track import RoomId
from captions.words import Word


def test_a_later_pass_beats_every_revision_of_an_earlier_one() -> None:
    mixed = [Version(Pass.EDITED, 0), Version(Pass.LIVE, 9), Version(Pass.REFINED, 2), Version(Pass.LIVE, 1)]
    assert sorted(mixed) == [(Pass.LIVE, 1), (Pass.LIVE, 9), (Pass.REFINED, 2), (Pass.EDITED, 0)]


def test_started_at_is_the_start_in_utc() -> None:
    caption = Caption(
        id=CaptionId(RoomId("hall").track("main"), 0),
        speaker=None,
        version=Version(Pass.LIVE, 1),
        final=False,
        language="en",
        start=90.5,
        end=91.0,
        origin=datetime(2026, 11, 23, 17, 58, tzinfo=UTC).timestamp(),
        words=(Word("Hello"), Word("there")),
        stable=1,
    )
    assert caption.started_at == datetime(2026, 11, 23, 17, 59, 30, 500_000, tzinfo=UTC)
    assert caption.text == "Hello there"
