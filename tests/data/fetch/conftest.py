import socket

import pytest

from testing.file_server import file_server


@pytest.fixture(autouse=True)
def _this_machine_alone(monkeypatch):
    """No test here reaches the network."""
    connect = socket.create_connection

    def only_here(address, *arguments, **named):
        assert address[0] == "127.0.0.1", f"a test tried to reach {address}"
        return connect(address, *arguments, **named)

    monkeypatch.setattr(socket, "create_connection", only_here)
    monkeypatch.setattr("time.sleep", lambda seconds: None)


@pytest.fixture
def server():
    with file_server() as running:
        yield running
