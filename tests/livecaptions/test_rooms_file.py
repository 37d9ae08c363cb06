import asyncio
import os
from pathlib import Path

import pytest

from captions.errors import SetupError
from captions.room_settings import RoomSettings
from captions.stream_options import StreamOptions
from captions.track import RoomId
from livecaptions.rooms_file import RoomsFile
from tests.support import terms

ROOMS = """
[rooms.keynote]
vocabulary = ["Kubernetes", "CTranslate2"]
language = "en"

[rooms."track-*"]
language = "de"
model = "small"

[rooms."acme/*"]
language = "fr"
"""


def rewrite(file: Path, text: str) -> None:
    file.write_text(text)
    os.utime(file, ns=(1, 1))  # another time than before, whatever the file system's steps


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rooms.toml"
    path.write_text(ROOMS)
    return path


async def test_the_first_table_that_fits_counts(file: Path) -> None:
    rooms = RoomsFile(file, 86_400)
    keynote = await rooms.settings_of(RoomId("keynote"))
    assert keynote == RoomSettings(vocabulary=terms("Kubernetes", "CTranslate2"), language="en")
    assert await rooms.settings_of(RoomId("track-2")) == RoomSettings(language="de", model="small")
    assert (await rooms.settings_of(RoomId("keynote", "acme"))).language == "fr"
    assert await rooms.settings_of(RoomId("other")) == RoomSettings()


async def test_a_file_that_changed_is_read_again(file: Path) -> None:
    rooms = RoomsFile(file, 86_400)
    rewrite(file, '[rooms.keynote]\nlanguage = "it"\n')
    assert (await rooms.settings_of(RoomId("keynote"))).language == "it"


async def test_a_file_that_broke_changes_nothing(file: Path) -> None:
    rooms = RoomsFile(file, 86_400)
    rewrite(file, "[rooms.keynote]\nlanguage = 7\n")
    assert (await rooms.settings_of(RoomId("keynote"))).language == "en"
    await asyncio.to_thread(file.unlink)
    assert (await rooms.settings_of(RoomId("keynote"))).language == "en"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[rooms", "is not TOML"),
        ("[room.keynote]\n", "room: is unknown"),
        ("[rooms.keynote]\nlanguag = 'en'\n", "rooms.keynote.languag: is unknown"),
        ("[rooms.keynote]\nlanguage = '???'\n", "rooms.keynote.language: has to be a BCP 47 tag"),
        ("[rooms.keynote]\nlanguages = ['auto']\n", "rooms.keynote.languages.0: has to be a BCP 47 tag"),
        ("[rooms.keynote]\nvocabulary = 'one'\n", "rooms.keynote.vocabulary: has to be a list"),
    ],
)
def test_what_is_wrong_is_named_at_the_start(file: Path, text: str, says: str) -> None:
    file.write_text(text)
    with pytest.raises(SetupError) as wrong:
        RoomsFile(file, 86_400)
    assert says in str(wrong.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot read the rooms file"):
        RoomsFile(tmp_path / "nowhere.toml", 86_400)


def test_a_rooms_terms_follow_the_publishers() -> None:
    room = RoomSettings(vocabulary=terms("b", "c"))
    assert room.vocabulary_of(StreamOptions(vocabulary=terms("a", "b"))) == terms("a", "b", "c")
    many = RoomSettings(vocabulary=terms(*(f"t{number}" for number in range(1000))))
    assert many.vocabulary_of(StreamOptions(vocabulary=terms("a"))) == (*terms("a"), *many.vocabulary[:-1])


async def test_a_rooms_retention_is_at_most_the_logs(file: Path) -> None:
    rewrite(file, "[rooms.keynote]\nretention = 600\n")
    assert (await RoomsFile(file, 600).settings_of(RoomId("keynote"))).retention == 600
    with pytest.raises(SetupError, match=r"rooms\.keynote asks for a retention of 600 s, and the log keeps .* 599 s"):
        RoomsFile(file, 599)
    rewrite(file, "[rooms.keynote]\nretention = 5\n")
    with pytest.raises(SetupError, match=r"rooms\.keynote\.retention: has to be 60 or more"):
        RoomsFile(file, 599)
