import json

import pytest

from monai_medmamba.data.fetch import find_set, list_sets
from monai_medmamba.data.fetch.publishers import locate


def test_every_set_has_a_page_a_licence_and_a_source():
    names = [entry.name for entry in list_sets()]
    assert {"kvasir", "fetal", "cpn", "pad", "breastmnist_224", "chestmnist_224"} <= set(names)
    for entry in list_sets():
        assert find_set(entry.name) == entry
        assert entry.page.startswith("https://")
        assert entry.licence
        assert bool(entry.url) != bool(entry.record)
        assert not entry.url or entry.url.startswith("https://")


def test_sizes_of_medmnist():
    assert find_set("pathmnist") == find_set("pathmnist_224")
    assert find_set("pathmnist_64").file == "pathmnist_64.npz"
    assert "NonCommercial" in find_set("dermamnist_28").licence


@pytest.mark.parametrize("name", ["imagenet", "pathmnist_63", "../kvasir"])
def test_invalid_arguments(name):
    with pytest.raises(ValueError, match=r"one of kvasir, .*got "):
        find_set(name)


def test_size_and_checksum_come_from_the_record(server):
    entry = {"key": "FETAL_PLANES_ZENODO.zip", "size": 7, "checksum": "md5:ab", "links": {"self": "https://here"}}
    server.files["3904280"] = json.dumps({"files": [entry]}).encode()
    found = locate(find_set("fetal"), server.url("").rstrip("/"))
    assert (found.url, found.size, found.md5) == ("https://here", 7, "ab")
    server.files["3904280"] = b'{"files": []}'
    with pytest.raises(ValueError, match=r"expected FETAL_PLANES_ZENODO\.zip in the record"):
        locate(find_set("fetal"), server.url("").rstrip("/"))
