"""What stands before every request: who may ask from another page, and how much may be sent."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Door"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BYTES = 512 * 1024 * 1024  # of a request: base weights are 180 MB, a large DICOM file 100
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
    # The page brings all that it needs; nothing is fetched from or sent to anywhere else.
    (b"content-security-policy", b"default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'"),
)


class Door:
    """Refuses requests from pages of other origins and bodies that are too large, and tells browsers to be strict.

    A browser names the page that a request comes from. Without this check any page that a reader has open elsewhere
    could read images from a server on the same machine. Programs name no page and are let in.

    Args:
        app: An ASGI application.
        origins: Origins that are let in besides the server's own.
        max_bytes: Of a request's body.

    Example:
        >>> Door(None).max_bytes > 10**8
        True
    """

    def __init__(self, app: Any, origins: Collection[str] = (), max_bytes: int = MAX_BYTES) -> None:
        self.app, self.origins, self.max_bytes = app, frozenset(origins), max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        origin, length = headers.get(b"origin"), headers.get(b"content-length", "0")
        if origin and urlsplit(origin).netloc != headers.get(b"host") and origin not in self.origins:
            await _refuse(send, 403, f"requests from pages of {origin} are not allowed; see MONAI_LABEL_CORS_ORIGINS")
            return
        if not length.isdigit() or int(length) > self.max_bytes:
            await _refuse(send, 413, f"expected at most {self.max_bytes} bytes, got {length}")
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            # A body without a length is cut off here; the application sees a client that went away.
            return {"type": "http.disconnect"} if received > self.max_bytes else message

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in _HEADERS if pair[0] not in given)]
            await send(message)

        await self.app(scope, counted, strict)


async def _refuse(send: Send, status: int, reason: str) -> None:
    body = json.dumps({"detail": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
