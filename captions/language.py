"""Language tags, and the languages that a session may be in."""

from typing import Annotated

from pydantic import BeforeValidator, Field

_TAG = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*"
TAG_PATTERN = f"^{_TAG}$"
"""A BCP 47 tag."""
LANGUAGE_PATTERN = f"^(auto|{_TAG})$"
"""A BCP 47 tag, or ``auto``."""

AUTO = "auto"
"""The language of sessions whose language is found out."""

MOST_LANGUAGES = 20
"""Languages among which a session's language is looked for."""


def primary(tag: str) -> str:
    """The primary language of a BCP 47 tag, in lower case: ``de`` of ``de-CH``."""
    return tag.split("-", maxsplit=1)[0].lower()


def _listed(value: object) -> object:
    return tuple(tag.strip() for tag in value.split(",")) if isinstance(value, str) else value


LanguageTags = Annotated[
    tuple[Annotated[str, Field(pattern=TAG_PATTERN)], ...],
    BeforeValidator(_listed),
    Field(max_length=MOST_LANGUAGES),
]
"""BCP 47 tags, at most 20; as text they are separated by commas."""
