"""Error messages for invalid values. pydantic's own messages name Python types, which clients do not know."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from captions.errors import BadRequest
from captions.language import LANGUAGE_PATTERN, TAG_PATTERN

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
NAMES = "1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or a digit"
"""The rule for names of rooms and tracks, as it is shown in messages."""

_TAG = "has to be a BCP 47 tag like en or pt-BR"
_PATTERNS = {NAME_PATTERN: f"has to be {NAMES}", TAG_PATTERN: _TAG, LANGUAGE_PATTERN: f"{_TAG}, or auto"}

_OBJECT = "has to be an object with named values"
_LIST = "has to be a list"
_TEXT = "has to be text"
_WHOLE = "has to be a whole number"
_NUMBER = "has to be a number"
_TRUTH = "has to be true or false"
_SENTENCES: Mapping[str, str | Callable[[Mapping[str, Any]], str]] = {
    "missing": "is missing",
    "extra_forbidden": "is unknown",
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "string_sub_type": _TEXT,
    "string_too_short": lambda c: _length(c["min_length"], "at least", "character"),
    "string_too_long": lambda c: _length(c["max_length"], "at most", "character"),
    "string_pattern_mismatch": lambda c: _PATTERNS.get(c["pattern"], "has characters that are not allowed"),
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "is too large a number",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "has to be a finite number",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "greater_than": lambda c: f"has to be more than {c['gt']:g}",
    "greater_than_equal": lambda c: f"has to be {c['ge']:g} or more",
    "less_than": lambda c: f"has to be less than {c['lt']:g}",
    "less_than_equal": lambda c: f"has to be {c['le']:g} or less",
    "enum": lambda c: f"has to be {c['expected']}",
    "literal_error": lambda c: f"has to be {c['expected']}",
    "tuple_type": _LIST,
    "list_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "too_long": lambda c: _length(c["max_length"], "at most", "value"),
    "too_short": lambda c: _length(c["min_length"], "at least", "value"),
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "json_invalid": "is not JSON",
    "json_type": "has to be JSON",
    "union_tag_not_found": lambda c: f"has no {c['discriminator']}",
    "union_tag_invalid": lambda c: f"has an unknown {c['discriminator']}; known are {c['expected_tags']}",
    "path_type": "has to be the path of a file",
    "url_parsing": "has to be a URL that begins with http:// or https://",
    "url_scheme": "has to be a URL that begins with http:// or https://",
    "url_type": "has to be a URL that begins with http:// or https://",
    "url_too_long": "is too long for a URL",
    "value_error": lambda c: str(c["error"]),
}
"""Messages by pydantic's error type. A function receives the error's context."""


def check_name(what: str, name: str) -> None:
    """Raise ``BadRequest`` if ``name`` is not a valid name. ``what`` is what it names, such as ``room``."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise BadRequest(f"{what}: a name has to be {NAMES}")


def problem_of(error: ErrorDetails) -> str:
    """The message for one invalid value, such as ``has to be a whole number``."""
    sentence = _SENTENCES.get(error["type"], "is not allowed here")
    return sentence if isinstance(sentence, str) else sentence(error.get("ctx", {}))


def explain(error: ValidationError) -> str:
    """The first error with its location, such as ``channels: has to be 8 or less``."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {problem_of(first)}" if place else problem_of(first)


def _length(limit: int, bound: str, unit: str) -> str:
    return f"has to be {bound} {limit} {unit}{'' if limit == 1 else 's'} long"
