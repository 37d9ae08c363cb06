"""Files of terms, one a line."""

import sys
from pathlib import Path

from captions.errors import SetupError
from captions.term_lines import LineError, read_terms
from captions.terms import Term


def terms_in(path: Path) -> tuple[Term, ...]:
    """The terms of a file; ``-`` is standard input. Raises ``SetupError`` if it cannot be read, or a line is wrong."""
    try:
        return read_terms(sys.stdin.read() if path == Path("-") else path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SetupError(f"{path} is not text in UTF-8") from error
    except LineError as error:
        raise SetupError(f"{path}, {error}") from error
