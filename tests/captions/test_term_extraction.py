"""Terms found in a programme, with how often words occur that a test makes up."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.term_extraction import COMMON, OF_GRAMMAR, VERY_COMMON, proposed_terms
from captions.terms import LONGEST_TERM

VERY_COMMON_WORDS = "the a and of in to we our it on for with at will is are this what no how about"
COMMON_WORDS = """
look back ten years run running change team ship software need knowledge scale stream process production minute write
work stack replace container bring open speak people budget prior us teach taught hands veteran cloud native day
"""
RARE_WORDS = "ada juan cruz kafka apache marie lab observability consensus maintain hall"
FREQUENCIES = {
    **dict.fromkeys(VERY_COMMON_WORDS.split(), OF_GRAMMAR),
    **dict.fromkeys(COMMON_WORDS.split(), COMMON),
    **dict.fromkeys(RARE_WORDS.split(), 100),
}

PROGRAMME = """CLOUD NATIVE DAYS 2026: WELCOME TO HALL KUBERNETES
08:30  Registration and Coffee, Foyer
09:00  Opening Remarks by Dr. Miriam Oyelaran, University of Groningen
09:15  Keynote: What etcd Taught Us About Consensus
       Ada Lovelace-Brown and Juan de la Cruz
       We look back on ten years of running etcd in production. kubectl and containerd changed how teams ship software.
11:00  Scaling Stream Processing With Apache Kafka and ClickHouse
11:45  Observability on a Budget: OpenTelemetry, eBPF and gRPC in 30 Minutes
       Lukasz works on the LGTM stack, e.g. on 3 GPUs. See https://example.org/kubeadm or write to lukasz@ceph.io.
14:00  Will WebAssembly Replace Containers? Workshop II with Node.js, C++ and TCP/IP veterans (bring 16GB)
"""


def frequency(word: str) -> int:
    return FREQUENCIES.get(word, 0)


def test_a_programme_gives_its_names_and_terms() -> None:
    found = proposed_terms(PROGRAMME, frequency)
    assert {
        "Miriam Oyelaran", "etcd", "Ada Lovelace-Brown", "Juan de la Cruz", "kubectl", "containerd", "Apache Kafka",
        "ClickHouse", "OpenTelemetry", "eBPF", "gRPC", "LGTM", "GPUs", "WebAssembly", "Node.js", "C++", "TCP/IP",
        "Lukasz", "KUBERNETES", "Groningen",
    } <= set(found)  # fmt: skip
    ordinary = {
        "Opening Remarks", "Registration", "Coffee", "Keynote", "What", "Stream Processing", "Scaling Stream", "II",
        "changed", "teams", "Minutes", "Replace Containers", "kubeadm", "ceph", "16GB", "09", "30", "e.g",
        "CLOUD NATIVE", "WELCOME", "HALL", "University of Groningen", "Observability",
    }  # fmt: skip
    assert not ordinary & set(found)
    assert len(found) == len({term.casefold() for term in found})


def test_a_name_does_not_go_across_lines_or_commas() -> None:
    assert proposed_terms("Ada Marie\nJuan Cruz, Apache Kafka", frequency) == ("Ada Marie", "Juan Cruz", "Apache Kafka")


def test_a_list_of_names_is_taken_whole() -> None:
    people = ("Grace Hopper", "John Smith", "Ngozi Okonjo-Iweala")
    ordinary = dict.fromkeys(("grace", "hopper", "john", "smith"), COMMON)
    for text in ("\n".join(people), ", ".join(people), "".join(f"- 09:30 {name}\n" for name in people)):
        assert proposed_terms(text, lambda word: ordinary.get(word, 0)) == people
    assert proposed_terms("Opening Remarks\nChange With Us\nChange", frequency) == ()


def test_a_name_of_ordinary_words_is_found_inside_a_sentence() -> None:
    known = {"the": OF_GRAMMAR, "and": OF_GRAMMAR, "world": VERY_COMMON, "bank": VERY_COMMON}
    text = "The World Trade Organization and the Bank of England met. Trade met us."
    found = proposed_terms(text, lambda word: known.get(word, COMMON))
    assert found == ("World Trade Organization", "Bank of England")


def test_a_word_of_a_name_is_no_term_of_its_own() -> None:
    text = "Ngozi Okonjo-Iweala speaks; later Okonjo-Iweala answers NATS and NATS Streams"
    assert proposed_terms(text, lambda word: 0 if word in {"ngozi", "okonjo", "iweala", "nats"} else COMMON) == (
        "Ngozi Okonjo-Iweala",
        "NATS Streams",
        "NATS",
    )


def test_where_all_words_are_known_names_are_still_found() -> None:
    text = "today Ada Lovelace speaks about Kafka and GPUs"
    assert proposed_terms(text, lambda _: 1) == ("Ada Lovelace", "GPUs")


@given(st.text(max_size=300) | st.lists(st.sampled_from(re.findall(r"\S+|\s", PROGRAMME)), max_size=80).map(" ".join))
def test_every_term_is_in_the_text_and_short_enough(text: str) -> None:
    flat = " ".join(text.split())
    for term in proposed_terms(text, frequency):
        assert 1 < len(term) <= LONGEST_TERM
        assert term in flat


@pytest.mark.parametrize(
    ("token", "left"),
    [
        ("<Ada@ceph.io>", ()),
        ("etcd:https://Ceph", ("etcd",)),
        ("etcd,www.Ceph.io", ("etcd",)),
        ("etcd@", ("etcd",)),
        ("@etcd.", ("etcd",)),
        ("a@etcd.", ("etcd",)),
        ("https://", ("https",)),
    ],
)
def test_an_address_is_no_term(token: str, left: tuple[str, ...]) -> None:
    assert proposed_terms(token, frequency) == left


@pytest.mark.parametrize(
    "piece",
    [
        "a@", "a", "a@a.", "@", "a@.", ".@", "www.", "https://", "a.", "A.", "A/", "a/", "a-", "1", "1:", "'s", "a'",
        "_", "a_", "A ", "A of ", "A. ", "aA", "(", "\N{SUPERSCRIPT TWO}", "I",
        "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}",
    ],
)  # fmt: skip
def test_long_lines_take_no_longer_than_their_length(piece: str) -> None:
    for line in (piece * (100_000 // len(piece)), "a" + piece * (100_000 // len(piece)) + "\N{EM DASH}"):
        proposed_terms(line, frequency)
