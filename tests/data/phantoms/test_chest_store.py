import numpy as np
import pytest

from monai_medmamba.data import DatasetError, build_volume_datalist, chest_phantoms
from monai_medmamba.data.phantoms import NODULES, draw_nodule

nibabel = pytest.importorskip("nibabel", reason="the volumes are NIfTI files")

SMALL = {"volumes_per_class": 2, "size": 16}


@pytest.fixture
def phantoms(tmp_path):
    return chest_phantoms(tmp_path / "set", **SMALL)


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.nii.gz")}


def test_layout(phantoms):
    assert sorted(contents(phantoms)) == [f"{label}/{label}_00{i}.nii.gz" for label in NODULES for i in (0, 1)]
    image = nibabel.load(phantoms / "malignant" / "malignant_001.nii.gz")
    assert np.array_equal(np.asarray(image.dataobj), draw_nodule("malignant", 1, size=16))
    assert image.header.get_zooms() == (1.5, 1.5, 1.5)
    assert image.affine @ [7.5, 7.5, 7.5, 1] == pytest.approx([0, 0, 0, 1])


def test_same_seed_same_files(phantoms, tmp_path):
    assert contents(chest_phantoms(tmp_path / "again", **SMALL)) == contents(phantoms)
    assert contents(chest_phantoms(tmp_path / "other", **SMALL, seed=1)) != contents(phantoms)


def test_default_is_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MONAI_MEDMAMBA_CACHE", str(tmp_path / "cache"))
    assert chest_phantoms(**SMALL).parent == tmp_path / "cache"


@pytest.mark.parametrize("arguments", [{"volumes_per_class": 0}, {"size": 8}, {"seed": -1}])
def test_invalid_arguments(tmp_path, arguments):
    with pytest.raises(DatasetError, match="at least 1 volume"):
        chest_phantoms(tmp_path / "set", **arguments)


def test_builds_a_datalist(tmp_path):
    datalist = build_volume_datalist(chest_phantoms(tmp_path / "ten", volumes_per_class=10, size=16))
    assert datalist.class_names == ("benign", "malignant")
    assert datalist.counts()["training"] == {"benign": 6, "malignant": 6}
