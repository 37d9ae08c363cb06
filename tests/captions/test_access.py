import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.access import ANYBODY, ROOM_PATTERN, Principal, Right
from captions.errors import BadRequest, Forbidden
from captions.track import RoomId

NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,7}\Z")
PATTERNS = st.from_regex(ROOM_PATTERN.replace("$", r"\Z")).map(lambda pattern: pattern[:8])
VIEWER = Principal(rooms=("main", "hall-*"), rights=frozenset({Right.VIEW}), tenant="acme")
OPERATOR = Principal(rooms=(), rights=frozenset({Right.VIEW, Right.OPERATE}))
TENANTS_OPERATOR = Principal(rooms=(), rights=frozenset({Right.VIEW, Right.OPERATE}), tenant="acme")


@pytest.mark.parametrize(("name", "covered"), [("main", True), ("hall-2", True), ("mains", False), ("x-hall-2", False)])
def test_rights_cover_the_rooms_of_the_patterns_and_of_the_tenant_alone(name: str, covered: bool) -> None:
    room = RoomId(name, "acme")
    assert VIEWER.covers(room) == covered
    if covered:
        VIEWER.require(Right.VIEW, room)
    else:
        with pytest.raises(Forbidden, match="not valid for room"):
            VIEWER.require(Right.VIEW, room)
    with pytest.raises(Forbidden, match="no right to publish"):
        VIEWER.require(Right.PUBLISH, room)
    assert not VIEWER.covers(RoomId(name))
    assert not VIEWER.covers(RoomId(name, "umbrella"))


def test_names_in_requests_are_rooms_of_the_principals_tenant() -> None:
    assert VIEWER.room("main") == VIEWER.room("main", "acme") == RoomId("main", "acme")
    assert ANYBODY.room("main") == RoomId("main")
    with pytest.raises(Forbidden, match="tenant umbrella"):
        VIEWER.room("main", "umbrella")
    with pytest.raises(Forbidden, match="tenant acme"):
        Principal(rooms=("*",), rights=frozenset({Right.VIEW})).room("main", "acme")


def test_operators_reach_every_room_of_their_tenant_and_those_of_the_server_every_room() -> None:
    assert OPERATOR.room("main", "umbrella") == RoomId("main", "umbrella")
    for room in (RoomId("main"), RoomId("main", "acme"), RoomId("main", "umbrella")):
        OPERATOR.require(Right.VIEW, room)
        assert TENANTS_OPERATOR.covers(room) == (room.tenant == "acme")
    with pytest.raises(Forbidden, match="no right to publish"):
        OPERATOR.require(Right.PUBLISH, RoomId("main"))
    with pytest.raises(Forbidden, match="tenant umbrella"):
        TENANTS_OPERATOR.room("main", "umbrella")


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", "ä", "x" * 65, "a\x00", "*"])
def test_names_that_are_not_valid_are_refused(name: str) -> None:
    with pytest.raises(BadRequest, match="room: a name has to be"):
        ANYBODY.room(name)
    with pytest.raises(BadRequest, match="tenant: a name has to be"):
        ANYBODY.room("main", name)


@pytest.mark.parametrize(
    ("rooms", "rights", "fewer"),
    [
        (("main",), ("view",), True),
        (("hall-1", "hall-2*"), ("view",), True),
        (("hall-*",), ("view",), True),
        (("hall*",), ("view",), False),
        (("*",), ("view",), False),
        (("main",), ("view", "publish"), False),
        ((), (), True),
    ],
)
def test_a_token_may_do_what_its_maker_may_and_no_more(rooms: list[str], rights: list[str], fewer: bool) -> None:
    if fewer:
        VIEWER.require_at_least(rooms, map(Right, rights))
    else:
        with pytest.raises(Forbidden):
            VIEWER.require_at_least(rooms, map(Right, rights))


@given(st.lists(PATTERNS), PATTERNS, NAMES)
def test_no_room_is_reached_that_the_maker_of_the_token_does_not_reach(mine: list[str], asked: str, name: str) -> None:
    maker = Principal(rooms=tuple(mine), rights=frozenset())
    try:
        maker.require_at_least([asked], [])
    except Forbidden:
        return
    made = Principal(rooms=(asked,), rights=frozenset())
    assert maker.covers(RoomId(name)) or not made.covers(RoomId(name))


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*", "main", True),
        ("main", "main", True),
        ("main", "main2", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("*b*", "abc", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "acb", False),
        ("?", "a", False),
        ("[ab]", "a", False),
        ("*-2", "hall-2", True),
    ],
)
def test_a_star_is_the_only_special_character_of_a_pattern(pattern: str, name: str, fits: bool) -> None:
    assert Principal(rooms=(pattern,), rights=frozenset()).covers(RoomId(name)) == fits


@given(st.lists(st.from_regex(r"\A[a-b*]{0,6}\Z")), st.text("ab", min_size=1, max_size=8))
def test_patterns_match_as_those_of_file_names_do(patterns: list[str], name: str) -> None:
    expected = any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    assert Principal(rooms=tuple(patterns), rights=frozenset()).covers(RoomId(name)) == expected


@pytest.mark.parametrize("mine", ["?", "room-?", "[!x]*", "[*]"])
def test_other_wildcards_of_an_issuers_claims_let_nobody_mint_more(mine: str) -> None:
    with pytest.raises(Forbidden):
        Principal(rooms=(mine,), rights=frozenset()).require_at_least(["*"], [])
