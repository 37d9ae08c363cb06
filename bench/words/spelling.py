"""Spellings that mean the same: numbers in digits or words, Chinese in traditional or simplified characters."""

import re
from functools import cache

import num2words
import opencc

from captions.language import primary

_LONGEST = 15
"""Digits of a number that is read as one number."""


def respelled(text: str, language: str) -> str:
    """``text`` with its whole numbers in words and its Chinese in simplified characters.

    English numbers are left to OpenAI's normaliser. Numbers stay digits in languages that num2words does not know.
    """
    spoken = primary(language)
    if spoken in {"zh", "yue"}:
        return str(_simplified().convert(text))
    return text if spoken == "en" else re.sub(r"\d+", lambda number: _in_words(number.group(), spoken), text)


@cache
def _simplified() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


@cache
def _in_words(digits: str, language: str) -> str:
    if len(digits) > _LONGEST:
        return digits
    try:
        return f" {num2words.num2words(int(digits), lang=language)} "
    except NotImplementedError:
        return digits
