"""Implementations of the Authenticator port."""
