"""A connection to a DICOMweb server that ends in time, and whose errors name neither password nor patient."""

from __future__ import annotations

import http
import os
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from dicomweb_client.api import DICOMwebClient

__all__ = ["DicomwebError", "connect", "is_address", "reason_of", "without_password"]

MOST_BYTES = 2 * 2**30  # of one answer
BUSY = (429, 503, 504)  # answers after which a request is sent again, twice at most


class DicomwebError(OSError):
    """A server could not be used; the message names it, what is wrong, and the cure."""


class _TooSlowError(Exception):
    """An answer has not ended in time."""


class _TooLargeError(Exception):
    """An answer is longer than any instance should be."""


def is_address(name: str | os.PathLike[str]) -> bool:
    """Tells whether a name is that of a server: begins with http:// or https://."""
    return os.fspath(name).lower().startswith(("http://", "https://"))


def without_password(address: str) -> str:
    """Returns an address without the name and password in it, and without a query."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl().rstrip("/")


def connect(address: str, timeout: float, token: str | None = None) -> DICOMwebClient:
    """Returns a client of a server; nothing is sent yet.

    Args:
        address: The root of its services, such as ``https://pacs.example/dicom-web``; ``user:password@`` before the
            host is sent as basic authentication.
        timeout: Seconds after which a request is given up: for an answer to begin, for each part, and for all of it.
        token: Sent as ``Authorization: Bearer``.

    Returns:
        A client, for one thread.

    Raises:
        DicomwebError: The address is none, or dicomweb-client is not installed.
    """
    try:
        import requests
        from dicomweb_client.api import DICOMwebClient
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry
    except ImportError as error:
        raise DicomwebError(
            'reading from a server needs dicomweb-client, which is not installed: pip install "monai-medmamba[dicom]"'
        ) from error

    class Bounded(requests.Session):
        """Reads each answer whole, within the time and the size that are allowed."""

        def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            ends = time.monotonic() + timeout
            response = super().send(request, **{**options, "stream": True, "timeout": timeout})
            if not response._content_consumed:  # a redirect's answer is read by now
                response._content = _read(response, ends)
                response._content_consumed = True
            return response

    parts = urlsplit(address)
    shown = without_password(address)
    session = Bounded()
    if parts.username is not None:
        session.auth = (unquote(parts.username), unquote(parts.password or ""))
    if token:
        session.headers["Authorization"] = f"Bearer {token}"
    again = Retry(None, connect=0, read=False, status=2, other=0, status_forcelist=BUSY, backoff_factor=0.2)
    again.respect_retry_after_header, again.raise_on_status = False, False
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=again))
    try:
        client = DICOMwebClient(shown, session=session)
    except (ValueError, AttributeError) as error:
        raise DicomwebError(f"{shown}: expected an address such as https://pacs.example/dicom-web") from error
    client.set_http_retry_params(retry=False)  # its own would also try again after each timeout
    return client


def _read(response: Any, ends: float) -> bytes:
    parts, size = [], 0
    try:
        while part := response.raw.read1(2**16, decode_content=True):  # what has come, without waiting for more
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise _TooLargeError
            if time.monotonic() > ends:
                raise _TooSlowError
    finally:
        response.raw.release_conn() if not response.raw.closed else None
    return b"".join(parts)


def reason_of(error: Exception, timeout: float) -> str:
    """Returns what went wrong with a request, in our own words: a server's may quote what it holds."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        status = error.response.status_code
        known = {one.value: one.phrase for one in http.HTTPStatus}
        cure = "; give a user, a password or a token" if status in (401, 403) else ""
        return f"the server answers {status} {known.get(status, '')}".rstrip() + cure
    if isinstance(error, requests.Timeout | _TooSlowError):
        return f"no whole answer within {timeout:g} s; allow more with --timeout"
    if isinstance(error, _TooLargeError):
        return f"the answer is longer than {MOST_BYTES >> 30} GiB"
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate is not trusted; name its authority in REQUESTS_CA_BUNDLE"
    if isinstance(error, requests.ConnectionError):
        return "the connection failed; check address and network"
    return f"the answer is damaged, or not what DICOMweb asks for ({type(error).__name__})"
