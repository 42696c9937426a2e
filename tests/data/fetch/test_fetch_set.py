import hashlib
import importlib
import io
import zipfile

import pytest

from monai_medmamba.data.fetch import fetch_set, find_set
from monai_medmamba.data.fetch.publishers import Source


@pytest.fixture
def archive():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr("kvasir/polyps/1.jpg", b"a picture")
    return content.getvalue()


@pytest.fixture
def published(server, archive, monkeypatch):
    """Lets a set's source be the server here, with its checksum."""
    server.files["file"] = archive

    def publish(md5=None):
        source = Source(server.url("file"), len(archive), md5 or hashlib.md5(archive).hexdigest())
        monkeypatch.setattr(
            importlib.import_module("monai_medmamba.data.fetch.fetch_set"), "locate", lambda wanted: source
        )

    publish()
    return publish


def test_downloads_and_unpacks(published, tmp_path):
    assert fetch_set(find_set("kvasir"), tmp_path / "set") == tmp_path / "set"
    assert (tmp_path / "set" / "kvasir" / "polyps" / "1.jpg").read_bytes() == b"a picture"
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_wrong_checksum_leaves_nothing(published, tmp_path):
    published("0" * 32)
    with pytest.raises(ValueError, match="nothing is kept"):
        fetch_set(find_set("kvasir"), tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_archive_is_laid_into_the_folder(published, archive, tmp_path):
    place = fetch_set(find_set("breastmnist"), tmp_path / "set")
    assert place == tmp_path / "set" / "breastmnist_224.npz"
    assert place.read_bytes() == archive


@pytest.mark.parametrize("name", ["kvasir", "breastmnist"])
def test_a_copy_at_hand_needs_no_server(name, server, archive, tmp_path):
    copy = tmp_path / "copy"
    copy.write_bytes(archive)
    place = fetch_set(find_set(name), tmp_path / "set", source=copy)
    assert place.exists()
    assert copy.read_bytes() == archive
    assert server.asked == []


@pytest.mark.parametrize("name", ["kvasir", "breastmnist"])
def test_what_is_there_stays(name, tmp_path):
    (tmp_path / "breastmnist_224.npz").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="is there already"):
        fetch_set(find_set(name), tmp_path)
