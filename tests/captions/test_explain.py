import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from captions.errors import BadRequest
from captions.explain import problem_of
from captions.messages import publisher_message
from captions.stream_options import StreamOptions
from livecaptions.settings.access import Token
from livecaptions.settings.fields import Settings
from streamer.protocols.native import FormatQuery, stream_options
from streamer.web.query import TranscriptQuery, ViewQuery

FOREIGN = re.compile(
    r"\b(Input|valid|tuple|dict|int|str|string|integer|boolean|instance|pydantic|None|regex|field|bytes)\b"
)
"""Words of Python and its validation library."""

ANYTHING = st.one_of(
    st.none(), st.integers(), st.floats(), st.booleans(), st.binary(max_size=3),
    st.text(max_size=5), st.text(min_size=70, max_size=80),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.integers(), max_size=1),
)  # fmt: skip


@pytest.mark.parametrize("model", [StreamOptions, FormatQuery, ViewQuery, TranscriptQuery, Settings, Token])
@given(data=st.data())
def test_no_message_names_a_type_of_python(model: type[BaseModel], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(model.model_fields)))
    try:
        model.model_validate({name: data.draw(ANYTHING)})
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            sentence = problem_of(problem)
            assert not FOREIGN.search(sentence), sentence
            assert sentence != "is not allowed here", problem["type"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"channels": "9"}, "channels: has to be 8 or less"),
        ({"sample_rate": "many"}, "sample_rate: has to be a whole number"),
        ({"encoding": "opus"}, "encoding: has to be 'linear16', 'float32', 'mulaw', 'alaw' or 'container'"),
        ({"track": "a/b"}, "track: has to be 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or a digit"),
        ({"language": "???"}, "language: has to be a BCP 47 tag like en or pt-BR, or auto"),
        ({"languages": "de,auto"}, "languages.1: has to be a BCP 47 tag like en or pt-BR"),
        ({"speaker": "x" * 81}, "speaker: has to be at most 80 characters long"),
        ({"takeover": "perhaps"}, "takeover: has to be true or false"),
    ],
)
def test_a_sentence_says_what_is_wrong_and_where(values: dict[str, Any], says: str) -> None:
    with pytest.raises(BadRequest) as wrong:
        stream_options({name: [value] for name, value in values.items()})
    assert wrong.value.message == says


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ("no", "is not JSON"),
        ("[1]", "has to be an object"),
        ("{}", "has no 'type'"),
        ('{"type":"go"}', "known are 'finalize'"),
    ],
)
def test_a_message_that_is_none_is_explained(frame: str, says: str) -> None:
    with pytest.raises(BadRequest, match=re.escape(says)):
        publisher_message(frame)
