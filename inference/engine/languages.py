"""The languages of one model: BCP 47 tags, Whisper's names for them, and its tokenizers."""

from collections.abc import Mapping, Sequence

import tokenizers
from faster_whisper.tokenizer import _LANGUAGE_CODES, Tokenizer

from captions.language import primary

ENGLISH = "en"

_WHISPER_CODES = {"nb": "no", "fil": "tl", "iw": "he", "in": "id", "jv": "jw", "cmn": "zh", "mo": "ro"}
"""Whisper's codes where they are not the tag's own."""


class Languages:
    """Tokenizers of one model by language; ``tokenizer`` is its ``tokenizers.Tokenizer``."""

    def __init__(self, tokenizer: tokenizers.Tokenizer, *, multilingual: bool) -> None:
        self._multilingual = multilingual
        known = {code for code in _LANGUAGE_CODES if tokenizer.token_to_id(f"<|{code}|>") is not None}
        self.known = frozenset(known if multilingual else {ENGLISH})
        self._tokenizers = {
            code: Tokenizer(tokenizer, multilingual, task="transcribe", language=code) for code in sorted(self.known)
        }

    def tag(self, language: str) -> str | None:
        """The model's code for a BCP 47 tag; None where the language has to be detected.

        An English-only model decodes everything as English. A language that the model does not know is detected.
        """
        if not self._multilingual:
            return ENGLISH
        spoken = primary(language)
        code = _WHISPER_CODES.get(spoken, spoken)
        return code if code in self.known else None

    def among(self, languages: Sequence[str], probabilities: Mapping[str, float]) -> dict[str, float]:
        """The probabilities of the codes of these BCP 47 tags, 1 together; of all codes where it knows none of them."""
        asked = {code for tag in languages if (code := self.tag(tag)) is not None and code in probabilities}
        if not asked:
            return dict(probabilities)
        total = sum(probabilities[code] for code in asked)
        return {code: probabilities[code] / total if total else 1 / len(asked) for code in sorted(asked)}

    def detects(self, language: str, *, asked: bool) -> bool:
        """Whether the probabilities of languages are computed: one is to be found out, or they are ``asked`` for."""
        return self._multilingual and (asked or self.tag(language) is None)

    def tokenizer(self, code: str) -> Tokenizer:
        """The tokenizer for one of ``known``; for codes that only detection knows, that of English."""
        return self._tokenizers.get(code) or self._tokenizers[ENGLISH]

    def task(self, code: str) -> list[int]:
        """The tokens that open a transcript without timestamps."""
        tokenizer = self.tokenizer(code)
        return [*tokenizer.sot_sequence, tokenizer.no_timestamps]
