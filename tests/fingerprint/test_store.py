import logging
import os
import sqlite3

import pytest

from monai_medmamba.fingerprint.decoded import Decoded
from monai_medmamba.fingerprint.measure import measure
from monai_medmamba.fingerprint.store import Store, clear_errors, stamp_of, stamp_of_folder


@pytest.fixture
def record(draw):
    return measure(Decoded(draw(1), False, "PNG", "RGB", 8, 255.0), b"key")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out" / "measurements.sqlite"


def test_keeps_and_forgets(path, record):
    odd = os.fsdecode(b"\xff.png")
    with Store(path, "/set") as store:
        store.keep("a.png", (10, 20), *record)
        store.keep(odd, (30, 40), *record)
        key = store.key
    with Store(path, "/set") as store:
        assert store.load() == {"a.png": ((10, 20), record[0]), odd: ((30, 40), record[0])}
        assert store.preview("a.png") == record[1]
        assert store.preview("b.png") is None
        assert store.key == key
        store.forget({odd})
    with Store(path, "/set") as store:
        assert store.load().keys() == {"a.png"}


@pytest.mark.parametrize("how", ["nonsense", "empty", "cut", "garbled", "version", "root", "table"])
def test_a_file_that_cannot_be_used_is_begun_anew(path, record, how, caplog):
    with Store(path, "/set") as store:
        for number in range(200):
            store.keep(f"{number}.png", (10, 20), *record)
    content = path.read_bytes()
    if how == "nonsense":
        path.write_bytes(b"nonsense" * 1000)
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "garbled":
        path.write_bytes(content[:5000] + os.urandom(50_000) + content[55_000:])
    else:
        with sqlite3.connect(path) as connection:
            statement = {
                "version": "UPDATE facts SET value = '0' WHERE name = 'version'",
                "root": "UPDATE facts SET value = '/other' WHERE name = 'root'",
                "table": "DROP TABLE images",
            }[how]
            connection.execute(statement)
        connection.close()
    with caplog.at_level(logging.WARNING), Store(path, "/set") as store:
        assert store.load() == {}
        store.keep("a.png", (10, 20), *record)
    assert ("begun anew" in caplog.text) is (how != "empty")
    with Store(path, "/set") as store:
        assert store.load().keys() == {"a.png"}


def test_one_entry_that_cannot_be_used(path, record, caplog):
    with Store(path, "/set") as store:
        store.keep("a.png", (10, 20), *record)
        store.keep("b.png", (10, 20), *record)
        store._connection.execute("UPDATE images SET content = '{}' WHERE path = ?", (b"a.png",))
    with Store(path, "/set") as store:
        assert store.load().keys() == {"b.png"}
    assert "measured again" in caplog.text


def test_what_was_committed_survives_a_kill(path, record, monkeypatch):
    monkeypatch.setattr("monai_medmamba.fingerprint.store.SECONDS_BETWEEN_COMMITS", 0)
    store = Store(path, "/set")
    store.keep("a.png", (10, 20), *record)
    with sqlite3.connect(path) as other:  # what another process would see now
        assert other.execute("SELECT count(*) FROM images").fetchone() == (1,)
    other.close()
    store.close()


def test_a_run_at_the_same_time_is_told(path, record, monkeypatch):
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda name, timeout: real(name, timeout=0.01))
    with Store(path, "/set") as store:
        store._connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OSError, match="another run"):
            Store(path, "/set")


def test_a_link_is_not_followed(path, tmp_path):
    path.parent.mkdir()
    (tmp_path / "precious").write_text("keep me")
    path.symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="no file of its own"):
        Store(path, "/set")
    assert (tmp_path / "precious").read_text() == "keep me"


def test_errors_of_the_disk_are_explained(path, record):
    def fill():
        with clear_errors(path), Store(path, "/set") as store:
            store._connection.execute("PRAGMA max_page_count = 5")
            for number in range(100):
                store.keep(f"{number}.png", (10, 20), *record)

    with pytest.raises(OSError, match="free some space"):
        fill()


def test_stamp(tmp_path):
    (tmp_path / "a").write_bytes(b"123")
    os.utime(tmp_path / "a", ns=(5, 7))
    assert stamp_of(tmp_path / "a") == (3, 7)


def test_stamp_of_a_folder(tmp_path):
    (tmp_path / "deep").mkdir()
    for name, when in (("a", 7), ("deep/b", 9)):
        (tmp_path / name).write_bytes(b"123")
        os.utime(tmp_path / name, ns=(5, when))
    assert stamp_of_folder(tmp_path) == (6, 9)
