"""Adapters of the Authenticator port."""
