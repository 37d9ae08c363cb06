"""The prompt before a transcript: a glossary and the text just before the window."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from faster_whisper.tokenizer import Tokenizer

LONGEST_PAST = 223
"""Tokens between ``<|startofprev|>`` and ``<|startoftranscript|>``, as Whisper was trained."""

_LONGEST_GLOSSARY = 128  # tokens: the context needs room too
_CONTEXT_LENGTHS = (0, 4, 8, 12, 16, 24, 32, 48, 64, 80, 96, 112, 128, 160, 192, LONGEST_PAST)
"""A batch needs prompts of one length, so contexts are cut to these."""


@dataclass(frozen=True, slots=True)
class Prompter:
    """Builds prompts for one model. ``tokenizer`` may be of any language of that model."""

    tokenizer: Tokenizer

    def past(self, vocabulary: Sequence[str], context: str) -> list[int]:
        """Tokens before ``<|startoftranscript|>``: none, or ``<|startofprev|>``, the glossary, the context's end.

        Terms that no longer fit into 128 tokens are left out, the last first.
        """
        glossary = self._glossary(vocabulary)
        context_tokens = self.tokenizer.encode(" " + context.strip()) if context.strip() else []
        room = min(len(context_tokens), LONGEST_PAST - len(glossary))
        length = _CONTEXT_LENGTHS[bisect_right(_CONTEXT_LENGTHS, room) - 1]
        tokens = glossary + context_tokens[len(context_tokens) - length :]
        return [self.tokenizer.sot_prev, *tokens] if tokens else []

    def _glossary(self, vocabulary: Sequence[str]) -> list[int]:
        tokens: list[int] = []
        for number, term in enumerate(filter(None, map(str.strip, vocabulary))):
            more = self.tokenizer.encode(("," if number else "") + " " + term)
            if len(tokens) + len(more) >= _LONGEST_GLOSSARY:
                break
            tokens += more
        return [*tokens, *self.tokenizer.encode(".")] if tokens else []
