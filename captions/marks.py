"""Punctuation marks of the scripts that people write: what ends a sentence, a clause, a hypothesis."""

SENTENCE_ENDS = frozenset(".?!\u2026\u3002\uff0e\uff1f\uff01\u061f\u06d4\u0964\u0965\u0589\u1362")
"""Full stops, question and exclamation marks: Latin, East Asian, Arabic, Urdu, Indic, Armenian, Ethiopic."""

CLAUSE_ENDS = frozenset(",;:\u3001\uff0c\uff1b\uff1a\u060c\u061b\u1363")
"""Commas, semicolons and colons of the same scripts."""

CLOSING = "".join(sorted(SENTENCE_ENDS | CLAUSE_ENDS)) + "-\u2013\u2014"
"""What Whisper may write where nothing ends. Quotes and brackets belong to the words."""

_QUOTES = "\"'\u2019\u201d\u00bb\u300d\u300f)]\uff09 \u00a0"


def ends_sentence(text: str) -> bool:
    """Whether a word, or a text, ends a sentence; quotes and brackets may follow the mark."""
    return text.rstrip(_QUOTES)[-1:] in SENTENCE_ENDS


def ends_clause(text: str) -> bool:
    """Whether a word, or a text, ends a clause or a sentence."""
    last = text.rstrip(_QUOTES)[-1:]
    return last in CLAUSE_ENDS or last in SENTENCE_ENDS


def is_closing(text: str) -> bool:
    """Whether ``text`` is closing marks alone, as French writes them apart from the word before them."""
    return bool(text) and all(mark in SENTENCE_ENDS or mark in CLAUSE_ENDS or mark == "\u00bb" for mark in text)
