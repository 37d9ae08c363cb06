import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.gates import LATE_WORDS, LOOP, NO_SPEECH, PHANTOM, REPETITIVE, TOO_FAST, is_phantom, screen
from captions.phantoms import PHANTOM_PHRASES
from captions.ports.engine import Hypothesis
from captions.words import Word, fold


def heard(
    text: str, *, no_speech: float = 0.05, likelihood: float = -0.2, language: str = "en", pace: float = 0.25
) -> Hypothesis:
    """A hypothesis whose words begin ``pace`` seconds apart."""
    return Hypothesis(
        words=tuple(Word(word, i * pace, (i + 1) * pace) for i, word in enumerate(text.split())),
        language=language,
        no_speech_probability=no_speech,
        mean_log_probability=likelihood,
    )


@pytest.mark.parametrize(
    ("text", "no_speech", "likelihood", "gates"),
    [
        # as measured on speech: nothing is lost
        ("Um...", 0.49, -0.95, ()),
        ("Ask not!", 0.25, -1.0, ()),
        ("Bye.", 0.19, -0.4, ()),
        ("Thank you.", 0.1, -0.3, ()),
        ("And here are some more words, words words words.", 0.14, -0.33, ()),
        # as measured on noise: all of it goes
        ("you", 0.82, -1.3, (NO_SPEECH,)),
        ("I don't know what to say.", 0.26, -1.51, (NO_SPEECH,)),
        ("Thank you.", 0.45, -0.9, (PHANTOM,)),
        ("[Music]", 0.5, -0.5, (PHANTOM,)),
    ],
)
def test_noise_goes_and_speech_stays(text: str, no_speech: float, likelihood: float, gates: tuple[str, ...]) -> None:
    hypothesis = heard(text, no_speech=no_speech, likelihood=likelihood)
    screened = screen(hypothesis, 4.0)
    assert screened.fired == gates
    assert screened.words == (() if gates else hypothesis.words)


def test_a_loop_is_cut_to_what_was_said() -> None:
    said = heard("It was the spring of hope.").words
    looped = tuple(Word(word.text, 1.5, 1.5) for word in said * 3)
    after = tuple(Word(text, 1.5 + 0.3 * i, 1.8 + 0.3 * i) for i, text in enumerate(("Then", "came", "winter.")))
    screened = screen(Hypothesis(words=(*said, *looped, *after), language="en"), 2.6)
    assert " ".join(word.text for word in screened.words) == "It was the spring of hope. Then came winter."
    assert screened.fired == (LOOP,)


@pytest.mark.parametrize(
    "text",
    [
        "No, no, no, no, no, no, no. That is not what I said.",
        "Testing one two three, testing one two three, testing one two three. Welcome to the conference.",
        "Yes we can! Yes we can! Yes we can! Yes we can! Yes we can! Yes we can! Yes we can! Yes we can!",
    ],
)
@pytest.mark.parametrize(("no_speech", "likelihood"), [(0.05, -0.2), (0.45, -0.4), (0.76, -0.44)])
def test_people_may_repeat_themselves(text: str, no_speech: float, likelihood: float) -> None:
    hypothesis = heard(text, no_speech=no_speech, likelihood=likelihood)
    screened = screen(hypothesis, 0.25 * len(hypothesis.words))
    assert screened.words == hypothesis.words
    assert screened.fired == ()


def test_nobody_speaks_that_fast() -> None:
    assert screen(heard("It was the season of the year", pace=0.01), 0.2).fired == (TOO_FAST,)


def test_a_text_full_of_repetition_needs_a_doubt_to_go() -> None:
    verses = "we shall fight on the beaches we shall fight on the hills " + "we shall fight on the beaches and " * 2
    text = (verses + verses + verses).strip()
    assert screen(heard(text), 30.0).fired == ()
    assert screen(heard(text, likelihood=-1.0), 30.0).fired == (REPETITIVE,)
    assert screen(heard(text, no_speech=0.45), 30.0).fired == (REPETITIVE,)


def test_a_phrase_that_has_its_time_needs_more_doubt_to_go() -> None:
    assert screen(heard("Mmm. " * 20, no_speech=0.76), 5.0).fired == ()
    assert screen(heard("Mmm. " * 20, no_speech=0.87), 5.0).fired == (REPETITIVE,)
    assert screen(heard("Mmm. " * 20, likelihood=-0.95), 5.0).fired == (REPETITIVE,)


def test_marks_and_gibberish_are_no_words() -> None:
    assert screen(heard(". ."), 6.0).fired == (NO_SPEECH,)
    assert screen(heard("The", no_speech=0.2, likelihood=-3.2), 6.0).fired == (NO_SPEECH,)


def test_words_past_the_end_of_the_audio_go_alone() -> None:
    words = (Word("There", 0.1, 0.4, 0.9), Word("is", 1.05, 1.05, 0.9), Word("more.", 1.2, 1.5, 0.2))
    screened = screen(Hypothesis(words=words, language="en"), 1.0)
    assert screened.words == words[:2]
    assert screened.fired == (LATE_WORDS,)


def test_nothing_heard_fires_nothing() -> None:
    assert screen(heard("", no_speech=1.0, likelihood=-3), 1.0) == screen(heard(""), 1.0)
    assert screen(heard("", no_speech=1.0), 1.0).fired == ()


def test_phantoms_are_told_by_language_without_case_and_punctuation() -> None:
    assert is_phantom("Thanks for watching!", "en-GB")
    assert is_phantom("ご視聴ありがとうございました。", "ja")
    assert is_phantom("Untertitel der Amara.org-Community", "de")
    assert not is_phantom("Thanks for watching the children", "en")
    assert not is_phantom("Thanks for watching!", "xx")
    assert not is_phantom("", "en")


def test_the_phrases_are_all_different_once_folded() -> None:
    for phrases in PHANTOM_PHRASES.values():
        assert all(map(fold, phrases))
        assert len(set(map(fold, phrases))) == len(phrases)


@given(
    st.lists(st.tuples(st.sampled_from(["so", "be", "it", "is", "and", "was", "."]), st.floats(0, 30)), max_size=40),
    st.floats(0, 1),
    st.floats(-5, 0),
    st.floats(0, 30),
)
def test_what_is_left_is_always_some_of_what_was_heard_in_order(
    timed: list[tuple[str, float]], no_speech: float, likelihood: float, duration: float
) -> None:
    starts = sorted(start for _, start in timed)
    words = tuple(Word(text, start, start) for (text, _), start in zip(timed, starts, strict=True))
    hypothesis = Hypothesis(
        words=words, language="en", no_speech_probability=no_speech, mean_log_probability=likelihood
    )
    screened = screen(hypothesis, duration)
    left = iter(words)
    assert all(any(word is other for other in left) for word in screened.words)
    assert bool(screened.fired) == (len(screened.words) < len(words))
