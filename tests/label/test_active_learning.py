import numpy as np
import pytest

pytest.importorskip("monailabel", reason="needs MONAI Label, in an environment of its own")

from monai_medmamba.label import active_learning
from monai_medmamba.label.active_learning import MEASURES, NextImage, core_set, reading_order
from monai_medmamba.label.image_label import ImageLabel
from monai_medmamba.label.image_store import ImageStore
from monai_medmamba.label.request_error import RequestError

pytestmark = pytest.mark.label

ROWS = np.float32([[0.98, 0.01, 0.01], [0.5, 0.5, 0.0], [0.4, 0.3, 0.3], [0.52, 0.24, 0.24]])


@pytest.mark.parametrize(
    ("strategy", "order"), [("least_confidence", [2, 1, 3, 0]), ("margin", [1, 2, 3, 0]), ("entropy", [2, 3, 1, 0])]
)
def test_measures(strategy, order):
    values = MEASURES[strategy][1](ROWS, False)
    assert np.argsort(-values, kind="stable").tolist() == order


@pytest.mark.parametrize("strategy", ["least_confidence", "margin", "entropy"])
def test_measures_of_several_labels(strategy):
    values = MEASURES[strategy][1](np.float32([[0.01, 0.99], [0.5, 0.5]]), True)
    assert values[0] < values[1]


def test_core_set_covers_the_features():
    rows = np.float32([[0, 0], [0.1, 0], [10, 0], [10.1, 0], [0, 10]])
    assert core_set(rows, rows[:1], 2) == [3, 4]
    assert sorted(core_set(rows, rows[:0], 9)) == [0, 1, 2, 3, 4]
    assert core_set(rows[:0], rows, 3) == []


@pytest.fixture
def store(studies):
    return ImageStore(studies)


@pytest.mark.parametrize("strategy", ["least_confidence", "margin", "entropy"])
def test_the_most_uncertain_comes_first(model, store, strategy):
    order = reading_order(model, store, strategy)
    values = [value for _, value in order]
    assert values == sorted(values, reverse=True)
    rows = {
        image: np.float32([list(model.predict(store.get_image_uri(image)).probabilities.values())])
        for image, _ in order
    }
    assert values == pytest.approx(
        [float(MEASURES[strategy][1](rows[image], False)[0]) for image, _ in order], abs=1e-5
    )


def test_labelled_images_are_not_asked_for_again(model, store):
    store.store_labels("image-004.png", [ImageLabel(model.name, ("polyps",))])
    store.store_labels("image-005.png", [ImageLabel("other", ("x",))])
    (store.folder / "labels" / "final" / "image-006.png.json").write_text("malformed")
    for strategy in MEASURES:
        images = {image for image, _ in reading_order(model, store, strategy)}
        assert images == set(store.list_images()) - {"image-004.png", "image-006.png"}


def test_core_set_starts_far_from_what_is_labelled(model, store):
    images = store.list_images()
    store.store_labels(images[0], [ImageLabel(model.name, ("polyps",))])
    paths = {image: store.get_image_uri(image) for image in images}
    features = model.table(list(paths.values()), "features")
    far = max(images[1:], key=lambda image: float(((features[paths[image]] - features[paths[images[0]]]) ** 2).sum()))
    assert reading_order(model, store, "coreset")[0] == (far, None)


def test_random_repeats_with_a_seed(model, store):
    assert reading_order(model, store, "random", 3) == reading_order(model, store, "random", 3)
    assert reading_order(model, store, "random", 3) != reading_order(model, store, "random", 4)


def test_a_large_set_is_looked_at_bit_by_bit(model, store, monkeypatch):
    monkeypatch.setattr(active_learning, "CANDIDATES", 4)
    known = [sum(value is not None for _, value in reading_order(model, store, "margin")) for _ in range(3)]
    assert known == [4, 8, 9]


def test_an_image_that_cannot_be_read_comes_last(model, store):
    (store.folder / "0.png").write_bytes(b"x")
    assert reading_order(model, store, "margin")[-1] == ("0.png", None)


def test_as_monai_label_asks(model, store):
    ask = NextImage("margin", {model.name: model})
    first = reading_order(model, store, "margin")[0]
    assert ask({}, store) == {"id": first[0], "uncertainty": first[1]}
    for request, status in (({"model": "nope"}, 404), ({"seed": "x"}, 422)):
        with pytest.raises(RequestError) as caught:
            ask(request, store)
        assert caught.value.status == status
    for image in store.list_images():
        store.store_labels(image, [ImageLabel(model.name, ("polyps",))])
    assert ask({}, store) == {}
