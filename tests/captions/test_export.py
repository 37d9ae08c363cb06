import json
from datetime import timedelta

from captions.export import as_json, as_srt, as_text, as_vtt
from tests.captions.messages import BEGAN, caption

TALK = [
    caption(utterance=0, start=1.0, text="Good morning, everybody.", final=True, speaker="Ada"),
    caption(utterance=1, start=3.0, text="Is 1 < 2 & 3 > 2?", final=True, speaker="Ada"),
    caption(utterance=0, track="other", start=6.25, text="Yes.", final=True, speaker="Joe"),
]


def test_text_names_a_speaker_once_in_a_row() -> None:
    assert as_text(TALK) == "Ada: Good morning, everybody.\nIs 1 < 2 & 3 > 2?\nJoe: Yes.\n"


def test_srt_is_numbered_cues_with_a_comma() -> None:
    assert as_srt(TALK[:1] + TALK[2:]) == (
        "1\n00:00:01,000 --> 00:00:02,200\nGood morning, everybody.\n\n2\n00:00:06,250 --> 00:00:07,083\nYes.\n"
    )


def test_vtt_escapes_and_gives_voices() -> None:
    assert as_vtt(TALK[1:]) == (
        "WEBVTT\n\n00:00:03.000 --> 00:00:06.200\n<v Ada>Is 1 &lt; 2 &amp; 3 &gt; 2?\n\n"
        "00:00:06.250 --> 00:00:07.083\n<v Joe>Yes.\n"
    )


def test_json_is_the_captions() -> None:
    assert [c["text"] for c in json.loads(as_json(c.encode().encode() for c in TALK))["captions"]] == [
        c.text for c in TALK
    ]


def test_json_says_what_decoded_a_final() -> None:
    final = caption(final=True, model="tiny.en@1a5afae06a4d")
    first, second = json.loads(as_json(c.encode().encode() for c in (final, TALK[0])))["captions"]
    assert first["model"] == "tiny.en@1a5afae06a4d"
    assert "model" not in second


def test_nothing_said_is_an_empty_file() -> None:
    assert as_text([]) == ""
    assert as_srt([]) == ""
    assert as_vtt([]) == "WEBVTT\n"


def test_times_beyond_an_hour_are_written_out() -> None:
    assert "01:01:01,500 -->" in as_srt([caption(start=3661.5, text="Late.", final=True)])


def test_tracks_that_began_at_different_times_share_one_clock() -> None:
    late = caption(track="late", start=1.0, text="Hello.", final=True, started_at=BEGAN + timedelta(seconds=61))
    assert as_srt([TALK[0], late]) == (
        "1\n00:00:01,000 --> 00:00:02,200\nGood morning, everybody.\n\n2\n00:01:01,000 --> 00:01:01,833\nHello.\n"
    )


def test_a_caption_makes_no_line_or_cue_of_its_own() -> None:
    forged = "yes\n\n9\r\n00:00:09,000 --> 00:00:10,000\u2028Chair:\x85I resign"
    said = [{"text": text, "start": 1.0, "end": 2.0} for text in ("\n", forged, "\x0b")]
    blank = [{"text": "\r\n", "start": 3.0, "end": 4.0}]
    talk = [
        caption(text=forged, words=said, final=True, speaker="Ada\n\nJoe"),
        caption(utterance=1, start=3.0, words=blank, final=True, speaker="Ada\n\nJoe"),
    ]
    folded = "yes 9 00:00:09,000 --> 00:00:10,000 Chair: I resign"
    assert as_text(talk[:1]) == f"Ada Joe: {folded}\n"
    assert [as_srt(talk).splitlines()[at] for at in (0, 2)] == ["1", folded]
    assert len(as_srt(talk).splitlines()) == 3
    assert as_vtt(talk).splitlines()[3:] == [f"<v Ada Joe>{folded.replace('>', '&gt;')}"]
