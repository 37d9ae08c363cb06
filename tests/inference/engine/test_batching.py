"""Which windows are decoded together: groups are functions of lengths and settings, without a model."""

from hypothesis import example, given
from hypothesis import strategies as st

from inference.engine.batching import LONGEST_TEXT, PARTIAL_SPREAD, Batching, Shape, grouped
from inference.engine.windows import FULL_FRAMES, WhisperSettings

SETTINGS = st.builds(
    WhisperSettings,
    tail=st.sampled_from([None, 0.0, 1.0, 2.0]),
    final_tail=st.sampled_from([None, 0.0, 1.0, 2.0]),
    zeros=st.sampled_from([0.6, 2.0]),
    final_zeros=st.sampled_from([0.6, 2.0, 8.0]),
    search_step=st.sampled_from([0.5, 1.5, 3.0]),
    final_window=st.sampled_from(["short", "full"]),
)
BATCHINGS = st.builds(Batching, SETTINGS, st.sampled_from([80, 128]))
SPOKEN = st.tuples(
    st.integers(1, 30 * 16_000), st.booleans(), st.sampled_from([0, 9, 25]), st.sampled_from(["en", "de"])
)
BATCHES = st.lists(SPOKEN, min_size=1, max_size=12)

Spoken = tuple[int, bool, int, str]


def shapes(batching: Batching, batch: list[Spoken]) -> list[Shape]:
    """The windows of a batch, as the engine cuts them at its first look."""
    return [
        Shape(
            samples=samples,
            frames=batching.frames(samples, final=final),
            final=final,
            past=past,
            language=language,
        )
        for samples, final, past, language in batch
    ]


@given(st.lists(st.integers(0, 4)))
def test_every_item_is_in_exactly_one_group_with_its_likes(keys: list[int]) -> None:
    groups = grouped(keys)
    assert sorted(index for members in groups.values() for index in members) == list(range(len(keys)))
    assert all(keys[index] == key for key, members in groups.items() for index in members)


@given(BATCHINGS, BATCHES)
def test_every_window_is_searched_in_exactly_one_group(batching: Batching, batch: list[Spoken]) -> None:
    groups = batching.search_groups(shapes(batching, batch))
    assert sorted(index for members in groups.values() for index in members) == list(range(len(batch)))


@given(BATCHINGS, SPOKEN, BATCHES)
def test_a_final_has_the_group_the_length_and_the_cap_that_it_has_alone(
    batching: Batching, spoken: Spoken, others: list[Spoken]
) -> None:
    samples, _, past, language = spoken
    final, *rest = shapes(batching, [(samples, True, past, language), *others])
    (key,) = batching.search_groups([final])
    windows = [*rest, final]
    ((shared, members),) = [found for found in batching.search_groups(windows).items() if len(rest) in found[1]]
    assert shared == key
    group = [windows[member] for member in members]
    assert batching.states(group) == batching.states([final])
    assert {batching.cap(window) for window in group} == {batching.cap(final)}


@given(BATCHINGS, BATCHES)
def test_what_is_searched_together_can_be(batching: Batching, batch: list[Spoken]) -> None:
    windows = shapes(batching, batch)
    for members in batching.search_groups(windows).values():
        group = [windows[member] for member in members]
        assert len({(window.final, window.past) for window in group}) == 1
        states = batching.states(group)
        assert states <= FULL_FRAMES // 2 + PARTIAL_SPREAD // 2
        for window in group:
            missing = states - window.frames // 2
            assert batching.tail(window) <= missing <= batching.longest_tail


@given(BATCHINGS, SPOKEN, SPOKEN)
@example(Batching(WhisperSettings(), 80), (80_000, False, 0, "en"), (96_000, False, 0, "en"))
def test_windows_that_share_a_search_share_a_batch_key(batching: Batching, one: Spoken, other: Spoken) -> None:
    if len(batching.search_groups(shapes(batching, [one, other]))) == 1:
        keys = {batching.batch_key(samples, final=final) for samples, final, _, _ in (one, other)}
        assert len(keys) == 1


@given(BATCHINGS, SPOKEN)
def test_a_text_is_capped_in_proportion_to_its_audio(batching: Batching, spoken: Spoken) -> None:
    samples, final, _, language = spoken
    (window,) = shapes(batching, [spoken])
    cap = batching.cap(window)
    assert 4 <= cap <= LONGEST_TEXT
    if not final and language == "en":
        assert cap == min(LONGEST_TEXT, 4 + round(6 * samples / 16_000))
    if final:
        assert cap >= min(LONGEST_TEXT, 5 * samples / 16_000)
