import asyncio
import json

import pytest

from monai_medmamba.label.door import Door


async def application(scope, receive, send):
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"no-store")]})
    await send({"type": "http.response.body", "body": str(size).encode()})


def ask(parts=(b"",), origins=(), **headers):
    """Status, headers and body of the answer; none where the connection is cut."""
    sent, waiting = [], list(parts)

    async def receive():
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    lines = [
        (name.replace("_", "-").encode(), value.encode()) for name, value in {"host": "me:8000", **headers}.items()
    ]
    door = Door(application, origins, max_bytes=10)
    asyncio.run(door({"type": "http", "headers": lines}, receive, send))
    return (sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]) if sent else None


def test_lets_programs_and_its_own_pages_in():
    assert ask()[0] == ask(origin="http://me:8000")[0] == ask((b"12345", b"67890"), content_length="10")[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "http://me:8001", "null", "http://me.evil.example:8000"])
def test_refuses_pages_of_others(origin):
    status, _, body = ask(origin=origin)
    assert status == 403
    assert origin in json.loads(body)["detail"]
    assert ask(origin=origin, origins=[origin])[0] == 200


def test_refuses_large_bodies():
    assert ask(content_length="11")[0] == 413
    assert ask(content_length="much")[0] == 413
    assert ask((b"123456", b"123456")) is None


def test_tells_browsers_to_be_strict():
    headers = ask()[1]
    assert headers[b"cache-control"] == b"no-store"
    assert b"default-src 'self'" in headers[b"content-security-policy"]
    assert headers[b"x-content-type-options"] == b"nosniff"
