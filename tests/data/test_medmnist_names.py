import pytest

from monai_medmamba.data.medmnist_names import NAMES, names_for


def test_all_the_two_dimensional_sets():
    counts = {name: len(classes) for name, classes in NAMES.items()}
    assert counts == {  # as published
        "pathmnist": 9,
        "chestmnist": 14,
        "dermamnist": 7,
        "octmnist": 4,
        "pneumoniamnist": 2,
        "retinamnist": 5,
        "breastmnist": 2,
        "bloodmnist": 8,
        "tissuemnist": 8,
        "organamnist": 11,
        "organcmnist": 11,
        "organsmnist": 11,
    }
    assert all(len(set(classes)) == len(classes) for classes in NAMES.values())


@pytest.mark.parametrize("name", ["breastmnist.npz", "BreastMNIST_224.npz", "breastmnist-copy.npz"])
def test_by_file_name(name):
    assert names_for(name) == {"0": "malignant", "1": "normal, benign"}


@pytest.mark.parametrize("name", ["organmnist3d.npz", "mnist.npz", "breastmnist3d.npz", "mybreastmnist.npz", "a.npz"])
def test_other_files(name):
    assert names_for(name) == {}
