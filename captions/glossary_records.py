"""The records of topic ``glossaries``.

Their order decides who changed a glossary first: a record that ``replaces`` a version counts only if this is the
version that stands there. Every reader comes to the same result, and no clocks take part.
"""

import hashlib

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from captions.errors import RecordError
from captions.explain import explain
from captions.ports.log import Record
from captions.stored_glossary import Owner, StoredGlossary
from captions.terms import MOST_TERMS, RecordedTerms

REPLACES = "replaces"
"""Header of a glossary: the version that it replaces. Without it, whatever stands there is replaced."""
_VERSION_LENGTH = 16


class _Content(BaseModel):
    """What a record holds. What newer gateways may write is ignored."""

    model_config = ConfigDict(extra="ignore")

    terms: RecordedTerms = Field((), max_length=MOST_TERMS)
    sources: dict[str, str] = {}


def write_glossary(owner: Owner, glossary: StoredGlossary, replaces: str | None = None) -> Record:
    """Write a glossary as a record. One without terms is an empty value."""
    headers = {} if replaces is None else {REPLACES: replaces.encode()}
    if not glossary.terms:
        return Record(owner.key, b"", headers)
    content = _Content(terms=glossary.terms, sources=dict(glossary.sources))
    return Record(owner.key, content.model_dump_json(exclude_defaults=True).encode(), headers)


def read_glossary(value: bytes) -> StoredGlossary:
    """Read the value of a record. Raises ``RecordError``."""
    if not value:
        return StoredGlossary()
    try:
        content = _Content.model_validate_json(value)
    except ValidationError as error:
        raise RecordError(f"a glossary cannot be read: {explain(error)}") from error
    return StoredGlossary(content.terms, content.sources)


def version_of(value: bytes) -> str:
    """The version of a glossary whose record has this value. The same content is the same version everywhere."""
    return hashlib.sha256(value).hexdigest()[:_VERSION_LENGTH]


def replaced_by(record: Record) -> str | None:
    """The version that a record replaces; None if it replaces any."""
    header = record.headers.get(REPLACES)
    return None if header is None else header.decode("ascii", errors="replace")
