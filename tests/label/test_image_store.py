import json
import zipfile

import pytest

pytest.importorskip("monailabel", reason="needs MONAI Label, in an environment of its own")

from monai_medmamba.label.image_label import ImageLabel
from monai_medmamba.label.image_store import FINAL, ORIGINAL, ImageStore
from monai_medmamba.label.request_error import RequestError

pytestmark = pytest.mark.label
OUTSIDE = ["../secret.png", "/etc/passwd", "..", ".", "", "labels", ".hidden.png", "notes.txt", "sub/a.png", "a\0.png"]


@pytest.fixture
def store(studies):
    (studies.parent / "secret.png").write_bytes(b"secret")
    (studies / ".hidden.png").write_bytes(b"x")
    (studies / "notes.txt").write_text("x")
    (studies / "noextension").write_bytes(b"x")
    return ImageStore(studies)


def final(store, image):
    return store.folder / "labels" / FINAL / f"{image}.json"


def test_lists_the_pictures(store):
    assert store.list_images() == [f"image-{i:03d}.png" for i in range(9)]
    (store.folder / "00scan").write_bytes(b"\0" * 128 + b"DICM")
    assert store.list_images()[0] == "00scan"


@pytest.mark.parametrize("image", OUTSIDE)
def test_nothing_else_is_an_image(store, image):
    for ask in (store.get_image_uri, store.get_image_info, store.remove_image, store.get_labels_by_image_id):
        with pytest.raises(RequestError, match="there is no image") as caught:
            ask(image)
        assert caught.value.status == 404
    with pytest.raises(RequestError, match="there is no image"):
        store.store_labels(image, [ImageLabel("m", ("a",))])
    assert (store.folder.parent / "secret.png").read_bytes() == b"secret"


def test_keeps_labels_of_several_models(store, model):
    store.store_labels("image-000.png", [ImageLabel("other", ("x",))], user="anna")
    store.store_labels("image-000.png", [ImageLabel(model.name, ("polyps",))], user="ben")
    kept = store.get_label_info("image-000.png", FINAL)["models"]
    assert {name: (entry["labels"], entry["user"]) for name, entry in kept.items()} == {
        "other": (["x"], "anna"),
        model.name: (["polyps"], "ben"),
    }
    assert store.labels_of(model) == ({"image-000.png": ("polyps",)}, {})
    assert store.status() == {"total": 9, "completed": 1, "label_tags": {"final": 1}}


def test_labels_written_by_hand_count(store, model):
    final(store, "image-001.png").parent.mkdir(parents=True)
    final(store, "image-001.png").write_text('{"label": "polyps"}')
    final(store, "image-002.png").write_text('{"label": "polyps", "model": "other"}')
    assert store.labels_of(model) == ({"image-001.png": ("polyps",)}, {})


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"label": "cat"}', '{"models": {"medmamba_test": {"labels": ["cat"]}}}', '{"labels": []}', "\xff"],
)
def test_a_malformed_label_is_told_and_never_lost(store, model, content):
    path = final(store, "image-003.png")
    path.parent.mkdir(parents=True)
    path.write_bytes(content.encode("latin-1"))
    store.store_labels("image-004.png", [ImageLabel(model.name, ("polyps",))])
    good, malformed = store.labels_of(model)
    assert list(good) == ["image-004.png"]
    assert list(malformed) == ["image-003.png"]
    assert malformed["image-003.png"]
    assert path.read_bytes() == content.encode("latin-1")
    store.store_labels("image-003.png", [ImageLabel(model.name, ("polyps",))])
    assert store.labels_of(model)[1] == {}
    kept = [other.read_bytes() for other in path.parent.glob("image-003.png.json.replaced-*")]
    assert kept == ([] if "models" in content else [content.encode("latin-1")])


def test_a_final_label_and_that_of_a_model(store, model):
    store.store_labels("image-000.png", [ImageLabel(model.name, ("polyps",))], ORIGINAL)
    assert store.get_labels_by_image_id("image-000.png") == {ORIGINAL: "image-000.png"}
    assert store.get_label_by_image_id("image-000.png", FINAL) == ""
    assert store.get_labeled_images() == []
    assert store.get_labeled_images(ORIGINAL) == ["image-000.png"]
    assert len(store.get_unlabeled_images()) == 9
    assert json.load(store.get_label("image-000.png", ORIGINAL))["image"] == "image-000.png"
    store.update_label_info("image-000.png", ORIGINAL, {"note": "x"})
    assert store.get_label_info("image-000.png", ORIGINAL)["note"] == "x"
    store.remove_label("image-000.png", ORIGINAL)
    with pytest.raises(RequestError, match="has no label"):
        store.get_label_uri("image-000.png", ORIGINAL)


@pytest.mark.parametrize("tag", ["../x", "", "other"])
def test_refuses_another_tag(store, tag):
    with pytest.raises(RequestError, match="expected the tag") as caught:
        store.get_label_uri("image-000.png", tag)
    assert caught.value.status == 422


def test_takes_in_and_removes_images(store, tmp_path):
    source = tmp_path / "upload.png"
    source.write_bytes(store.get_image("image-000.png").read())
    assert store.add_image("new", str(source), {"from": "test"}) == "new.png"
    assert store.get_image_info("new.png")["from"] == "test"
    with pytest.raises(RequestError, match="already") as caught:
        store.add_image("new.png", str(source), {})
    assert caught.value.status == 409
    store.store_labels("new.png", [ImageLabel("m", ("a",))])
    store.remove_image("new.png")
    assert "new.png" not in store.list_images()
    assert not final(store, "new.png").exists()


@pytest.mark.parametrize(
    "name", ["../x.png", "/x.png", "..png", "x.exe", "a/b.png", "a\0.png", "-.png\n", "x" * 300 + ".png"]
)
def test_takes_no_other_names(store, tmp_path, name):
    (tmp_path / "upload").write_bytes(b"x")
    with pytest.raises(RequestError, match="plain name"):
        store.add_image(name, str(tmp_path / "upload"), {})


def test_an_archive_of_what_is_labelled(store):
    with pytest.raises(RequestError, match="no image has a label"):
        store.get_dataset_archive(None)
    for image in store.list_images()[:3]:
        store.store_labels(image, [ImageLabel("m", ("a",))])
    with zipfile.ZipFile(store.get_dataset_archive(2)) as archive:
        assert len(archive.namelist()) == 4
    assert len(store.datalist()) == 3
