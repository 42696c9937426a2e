import numpy as np
import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.fingerprint.medmnist import list_arrays


def test_lists_without_loading(npz):
    path = npz(
        train_images=np.zeros((3, 5, 4), np.uint8),
        train_labels=np.array([[1], [0], [1]]),
        test_images=np.zeros((1, 5, 4), np.uint8),
        test_labels=np.array([1], np.uint8),
        more=np.zeros(1),
    )
    listing = list_arrays(path)
    assert [(i.path, i.label, i.split) for i in listing.items] == [
        ("set.npz#train_images/0", "1", "training"),
        ("set.npz#train_images/1", "0", "training"),
        ("set.npz#train_images/2", "1", "training"),
        ("set.npz#test_images/0", "1", "test"),
    ]
    assert (listing.labels_from, listing.others) == ("arrays", ["more.npy"])


def test_several_labels_an_image(npz):
    listing = list_arrays(npz(train_images=np.zeros((2, 4, 4), np.uint8), train_labels=np.array([[1, 0], [1, 1]])))
    assert listing.columns == {"training": {"0": 2, "1": 1}}
    assert listing.items[0].label is None


def test_several_labels_have_the_names_of_the_set(tmp_path):
    path = tmp_path / "chestmnist_64.npz"
    labels = np.zeros((2, 14), np.uint8)
    labels[1, 13] = 1
    np.savez_compressed(path, test_images=np.zeros((2, 4, 4), np.uint8), test_labels=labels)
    counts = list_arrays(path).columns["test"]
    assert (len(counts), next(iter(counts)), counts["hernia"]) == (14, "atelectasis", 1)


def test_no_archive(tmp_path):
    (tmp_path / "set.npz").write_bytes(b"nonsense")
    with pytest.raises(DatasetError, match="MedMNIST"):
        list_arrays(tmp_path / "set.npz")
