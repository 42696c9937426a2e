import pytest

pytest.importorskip("monailabel", reason="needs MONAI Label, in an environment of its own")

from monai_medmamba.label.agreement import judge
from monai_medmamba.label.image_store import ImageStore
from testing.label_server import write_weights

pytestmark = pytest.mark.label


def test_counts_where_model_and_reader_agree(model, studies):
    store = ImageStore(studies)
    images = store.list_images()
    said = {image: model.predict(store.get_image_uri(image)).labels for image in images}
    wrong = {**said, images[0]: tuple(name for name in model.class_names if name not in said[images[0]])[:1]}
    assert judge(model, said, [], store)["all"]["accuracy"] == 1
    found = judge(model, wrong, images[:2], store)
    assert found["all"]["images"] == 9
    assert found["all"]["accuracy"] == pytest.approx(8 / 9)
    assert found["validation"]["images"] == 2
    assert found["validation"]["accuracy"] == 0.5
    assert judge(model, said, [], store)["validation"] == {
        "images": 0, "accuracy": None, "balanced_accuracy": None, "auc": None, "log_loss": None, "ece": None
    }  # fmt: skip


def test_leaves_out_what_cannot_be_read(model, studies):
    (studies / "broken.png").write_bytes(b"x")
    labels = {"broken.png": ("polyps",), "image-000.png": ("polyps",)}
    assert judge(model, labels, [], ImageStore(studies))["all"]["images"] == 1


def test_several_labels(model, studies):
    write_weights(model.folder / "model.safetensors", several=True)
    store = ImageStore(studies)
    said = {image: model.predict(store.get_image_uri(image)).labels for image in store.list_images()}
    assert judge(model, said, [], store)["all"]["accuracy"] == 1
