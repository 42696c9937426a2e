"""The command ``medmamba``, thin over the rooms: one module a command."""

from .program import main

__all__ = ["main"]
