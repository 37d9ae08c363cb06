"""Language tags."""

LANGUAGE_PATTERN = r"^(auto|[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*)$"
"""A BCP 47 tag, or ``auto``."""


def primary(tag: str) -> str:
    """The primary language of a BCP 47 tag, in lower case: ``de`` of ``de-CH``."""
    return tag.split("-", maxsplit=1)[0].lower()
