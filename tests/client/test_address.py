import pytest

from livecaptions_client import AddressError, publish, view
from livecaptions_client.address import socket_url


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("http://localhost:8080", "ws://localhost:8080/v1/rooms/hall/publish?track=a+b"),
        ("localhost:8080", "ws://localhost:8080/v1/rooms/hall/publish?track=a+b"),
        ("https://captions.example/live/", "wss://captions.example/live/v1/rooms/hall/publish?track=a+b"),
        ("wss://[::1]:9", "wss://[::1]:9/v1/rooms/hall/publish?track=a+b"),
    ],
)
def test_sockets_of_a_server(server: str, url: str) -> None:
    assert socket_url(server, "hall", "publish", [("track", "a b")]) == url


@pytest.mark.parametrize(
    "server", ["", "ftp://host", "http://", "http://host:port", "http://host:99999", "http://[::1"]
)
def test_what_is_no_address_is_refused(server: str) -> None:
    with pytest.raises(AddressError, match="is no server's address"):
        socket_url(server, "hall", "publish", [])


def test_a_rooms_name_cannot_change_the_path() -> None:
    assert "/rooms/..%2Fx%3F/captions" in socket_url("http://h", "../x?", "captions", [])


def test_every_address_of_several_is_looked_at_before_anything_is_opened() -> None:
    with pytest.raises(AddressError, match="'ftp://b'"):
        publish("http://a,ftp://b", "hall")
    with pytest.raises(AddressError, match="'ftp://b'"):
        view("http://a,ftp://b", "hall")
