import io
import stat
import zipfile

import pytest

from monai_medmamba.data.fetch import ArchiveError, unpack


def pack(path, entries):
    """Write an archive of names and contents; a ZipInfo in the place of a name is taken as it is."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def special(name, kind):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (kind | 0o777) << 16
    entry.create_system = 3
    return entry


def test_unpacks_archives_in_archives(tmp_path):
    inner = pack(tmp_path / "inner.zip", [("b.png", b"2")]).read_bytes()
    entries = [("set/a/1.png", b"1"), ("set/images/part_1.zip", inner), ("__MACOSX/set/a/._1.png", b"x")]
    folder = unpack(pack(tmp_path / "set.zip", entries), tmp_path / "out")
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == {"set/a/1.png": b"1", "set/images/part_1/b.png": b"2"}


HOSTILE = {
    "leaves the folder": [("a/1.png", b"1"), ("../evil", b"x")],
    "leaves the folder ": [("a/../../evil", b"x")],
    "absolute path": [("/tmp/evil", b"x")],
    "absolute path ": [("C:/evil", b"x")],
    "no path": [("..\\evil", b"x")],
    "is a link": [(special("link", stat.S_IFLNK), b"/etc/passwd")],
    "is no file": [(special("pipe", stat.S_IFIFO), b"")],
    "in case alone": [("a/X.png", b"1"), ("a/x.png", b"2")],
    "in case alone ": [("A/1.png", b"1"), ("a/2.png", b"2")],
    "which no data set needs": [("bomb", bytes(5_000_000))],
    "is a file and a folder": [("a", b"1"), ("a/b", b"2")],
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_refuses(fault, tmp_path):
    archive = pack(tmp_path / "set.zip", HOSTILE[fault])
    with pytest.raises(ArchiveError, match=fault.strip()):
        unpack(archive, tmp_path / "deep" / "out")
    assert list((tmp_path / "deep").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "set.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_refuses_a_name_that_comes_twice(tmp_path):
    archive = pack(tmp_path / "set.zip", [("a", b"1"), ("a", b"2")])
    with pytest.raises(ArchiveError, match="comes twice"):
        unpack(archive, tmp_path / "out")


def test_refuses_more_than_allowed_also_by_archives_inside(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("big", bytes(900))
    outer = pack(tmp_path / "set.zip", [("inner.zip", inner.getvalue())])
    with pytest.raises(ArchiveError, match="would unpack to 900 bytes"):
        unpack(outer, tmp_path / "out", max_bytes=1500)
    assert not (tmp_path / "out").exists()
    assert (unpack(outer, tmp_path / "out", max_bytes=3000) / "inner" / "big").stat().st_size == 900


def test_refuses_a_size_that_lies(tmp_path):
    """The list of entries says 10 bytes; there are 100,000."""
    archive = pack(tmp_path / "set.zip", [("a", bytes(100_000))])
    content = archive.read_bytes().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    archive.write_bytes(content)
    with pytest.raises(ArchiveError, match="not a whole zip archive"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"<html>", lambda b: b[:60] + b"xx" + b[62:]])
def test_refuses_damage(damage, tmp_path):
    archive = pack(tmp_path / "set.zip", [("a", bytes(range(256)) * 10)])
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(ArchiveError, match="not a whole zip archive"):
        unpack(archive, tmp_path / "out")


def test_a_folder_that_holds_something_stays(tmp_path):
    archive = pack(tmp_path / "set.zip", [("a", b"1")])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(FileExistsError, match="expected an empty folder"):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]
