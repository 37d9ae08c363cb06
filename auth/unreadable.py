"""What reading a JSON Web Token may raise."""

from joserfc.errors import JoseError

UNREADABLE = (JoseError, ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""joserfc lets errors of Python out where a header nests deeply, or has values of unexpected types."""
