"""What counts where a publisher, a room and the server say different things."""

import pytest

from captions.room_settings import RoomSettings
from captions.stream_options import StreamOptions


@pytest.mark.parametrize(
    ("asked", "room", "server", "spoken"),
    [
        ({}, {}, ("auto", ()), ("auto", ())),
        ({}, {}, ("en", ("de", "en")), ("en", ())),
        ({}, {}, ("auto", ("de", "en")), ("auto", ("de", "en"))),
        ({}, {"language": "fr"}, ("auto", ("de", "en")), ("fr", ())),
        ({}, {"languages": ["fr", "it"]}, ("en", ()), ("auto", ("fr", "it"))),
        ({}, {"language": "auto"}, ("en", ("de", "en")), ("auto", ("de", "en"))),
        ({"language": "es"}, {"languages": ["fr", "it"]}, ("en", ()), ("es", ())),
        ({"language": "auto"}, {"language": "fr", "languages": ["fr", "it"]}, ("en", ()), ("auto", ("fr", "it"))),
        ({"languages": "ja,en"}, {"language": "fr"}, ("en", ("de",)), ("auto", ("ja", "en"))),
        ({"language": "fr", "languages": "ja,en"}, {}, ("en", ()), ("fr", ())),
    ],
)
def test_the_publisher_s_language_counts_before_the_room_s_and_the_server_s(
    asked: dict[str, str], room: dict[str, object], server: tuple[str, tuple[str, ...]], spoken: tuple[str, object]
) -> None:
    options = StreamOptions.model_validate(asked)
    assert RoomSettings.model_validate(room).language_of(options, *server) == spoken
