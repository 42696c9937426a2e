import hashlib
import random

import pytest

from monai_medmamba.data.fetch import download_file

CONTENT = random.Random(0).randbytes(300_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def place(server, tmp_path):
    server.files["set.zip"] = CONTENT
    return tmp_path / "folder" / "set.zip"


def left(place):
    return sorted(path.name for path in place.parent.iterdir())


def test_whole_and_alone(server, place):
    seen = []
    download_file(server.url("set.zip"), place, len(CONTENT), MD5, lambda have, total: seen.append((have, total)))
    assert place.read_bytes() == CONTENT
    assert left(place) == ["set.zip"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_goes_on_where_it_broke_off(server, place):
    server.breaks, server.until = 2, 100_000
    download_file(server.url("set.zip"), place, len(CONTENT), MD5)
    assert place.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-", "bytes=200000-"]


def test_a_later_call_goes_on(server, place):
    server.breaks, server.until = 5, 50_000
    with pytest.raises(OSError, match="broken off after 250000 bytes"):
        download_file(server.url("set.zip"), place)
    assert left(place) == ["set.zip.part", "set.zip.part.tag"]
    download_file(server.url("set.zip"), place, md5=MD5)
    assert server.asked[-1] == "bytes=250000-"
    assert left(place) == ["set.zip"]


@pytest.mark.parametrize("change", ["another file", "no ranges"])
def test_begins_anew_where_it_cannot_go_on(server, place, change):
    server.breaks, server.until = 5, 50_000
    with pytest.raises(OSError, match="broken off"):
        download_file(server.url("set.zip"), place)
    if change == "another file":
        server.files["set.zip"], server.tag = CONTENT[::-1], '"second"'
    else:
        server.ranges = False
    download_file(server.url("set.zip"), place)
    assert place.read_bytes() == server.files["set.zip"]


def test_a_part_longer_than_the_file_is_thrown_away(server, place):
    place.parent.mkdir()
    place.with_name("set.zip.part").write_bytes(CONTENT + b"more")
    place.with_name("set.zip.part.tag").write_text(server.tag)
    download_file(server.url("set.zip"), place, md5=MD5)
    assert left(place) == ["set.zip"]


@pytest.mark.parametrize("wrong", [{"md5": "0" * 32}, {"size": 5}, {"size": 10**6}])
def test_another_file_than_published_is_refused_and_nothing_left(server, place, wrong):
    with pytest.raises(ValueError, match="nothing is kept"):
        download_file(server.url("set.zip"), place, **wrong)
    assert left(place) == []


def test_a_disk_without_room(server, place, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10}))
    with pytest.raises(OSError, match="300000 bytes are to come, and 10 are free"):
        download_file(server.url("set.zip"), place)


def test_a_missing_file(server, place):
    with pytest.raises(OSError, match=r"answers 404.*publisher's page"):
        download_file(server.url("nothing"), place)
    assert server.asked == [None]
