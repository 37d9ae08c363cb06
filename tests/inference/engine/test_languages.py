"""Languages: which the tags mean, and what Whisper base makes of them."""

from collections.abc import Callable

import pytest

from captions.audio import Pcm
from captions.ports.engine import DecodeRequest
from captions.words import join
from inference.engine import WhisperEngine


@pytest.mark.parametrize(
    ("tag", "code"),
    [("en", "en"), ("pt-BR", "pt"), ("zh-Hant-TW", "zh"), ("nb-NO", "no"), ("DE", "de"), ("auto", None), ("xx", None)],
)
def test_tags_are_bcp_47(base: WhisperEngine, tag: str, code: str | None) -> None:
    assert base._languages.tag(tag) == code


def test_an_english_model_knows_no_other(tiny: WhisperEngine) -> None:
    assert {tiny._languages.tag(tag) for tag in ("de", "auto", "en-GB")} == {"en"}
    assert not tiny.multilingual


def test_a_multilingual_model_says_so(base: WhisperEngine) -> None:
    assert base.multilingual
    assert {"en", "de", "ja", "zh", "pt"} <= base.languages
    assert len(base.languages) == 99


@pytest.mark.speech
def test_a_language_is_detected_with_its_probability(base: WhisperEngine, jfk: Pcm) -> None:
    detected, told = base.decode(
        [
            DecodeRequest(pcm=jfk[: 5 * 16_000], language="auto", final=True),
            DecodeRequest(pcm=jfk[: 5 * 16_000], language="en-US", final=True),
        ]
    )
    assert detected.language == "en"
    assert 0.9 < detected.language_probability <= 1
    assert told.language_probability == 1.0
    assert detected.words == told.words


@pytest.mark.espeak
def test_languages_of_one_batch_are_kept_apart(base: WhisperEngine, voice: Callable[[str, str], Pcm]) -> None:
    german = voice("de", "Guten Morgen meine Damen und Herren, wir beginnen jetzt mit der Sitzung.")
    spanish = voice("es", "Buenos días señoras y señores, vamos a empezar la reunión de hoy.")
    japanese = voice("ja", "おはようございます。きょうはいいてんきです。")
    found = base.decode(
        [
            DecodeRequest(pcm=german, language="auto", final=True),
            DecodeRequest(pcm=spanish, language="auto", final=True),
            DecodeRequest(pcm=japanese, language="ja", final=True),
        ]
    )
    assert [one.language for one in found] == ["de", "es", "ja"]
    assert "Morgen" in join(found[0].words, "de")
    assert "señores" in join(found[1].words, "es")
    assert len(found[2].words) > 3
    assert join(found[2].words, "ja").startswith("おはよう")
    assert all(word.timed for one in found for word in one.words)


def test_candidates_are_looked_among_alone(base: WhisperEngine) -> None:
    found = {"en": 0.6, "de": 0.3, "fr": 0.1}
    among = base._languages.among
    assert among((), found) == found
    assert among(("de-AT", "fr", "xx"), found) == pytest.approx({"de": 0.75, "fr": 0.25})
    assert among(("xx",), found) == found
    assert among(("de", "fr"), {"en": 1.0, "de": 0.0, "fr": 0.0}) == {"de": 0.5, "fr": 0.5}


@pytest.mark.speech
def test_a_detection_says_all_it_knows_where_it_is_asked(base: WhisperEngine, jfk: Pcm) -> None:
    pcm = jfk[: 5 * 16_000]
    told, both, among, partial = base.decode(
        [
            DecodeRequest(pcm=pcm, language="en", final=True),
            DecodeRequest(pcm=pcm, language="en", detected=True, final=True),
            DecodeRequest(pcm=pcm, language="auto", languages=("de", "fr"), final=True),
            DecodeRequest(pcm=pcm, language="en", detected=True),
        ]
    )
    assert told.language_probabilities == {}
    assert sum(both.language_probabilities.values()) == pytest.approx(1, abs=0.001)
    assert max(both.language_probabilities, key=both.language_probabilities.__getitem__) == "en"
    assert both.words == told.words
    assert set(among.language_probabilities) == {"de", "fr"}
    assert among.language in {"de", "fr"}
    assert partial.language_probabilities


@pytest.mark.speech
def test_an_english_model_looks_for_no_language(tiny: WhisperEngine, jfk: Pcm) -> None:
    (found,) = tiny.decode([DecodeRequest(pcm=jfk[: 3 * 16_000], language="auto", detected=True, final=True)])
    assert (found.language, found.language_probabilities) == ("en", {})
