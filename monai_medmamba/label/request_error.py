"""What a client asked for that cannot be had: an HTTP status of 4xx and what to do about it."""

from __future__ import annotations

__all__ = ["RequestError"]


class RequestError(ValueError):
    """A request that is at fault itself: the server answers with ``status`` and goes on."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
