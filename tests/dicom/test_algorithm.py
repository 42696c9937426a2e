import json

import pytest

from monai_medmamba.dicom import Algorithm, describe_algorithm
from monai_medmamba.version import __version__


@pytest.fixture
def weights(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"weights")
    return tmp_path / "model.pt"


def test_other_weights_are_another_version(weights, tmp_path):
    (tmp_path / "other.pt").write_bytes(b"other weights")
    found = describe_algorithm(weights)
    assert found.name == "MedMamba"
    assert found.version.startswith(f"monai_medmamba {__version__}, weights sha256 9a129038d9a00aed")
    assert describe_algorithm(tmp_path / "other.pt").version != found.version
    assert describe_algorithm(weights) == found


def test_name_and_version_of_a_bundle(weights, tmp_path):
    (tmp_path / "configs").mkdir()
    metadata = tmp_path / "configs" / "metadata.json"
    metadata.write_text(json.dumps({"name": "Chest X-ray", "version": "0.3.1"}))
    found = describe_algorithm(weights, tmp_path, ("temperature 2",))
    assert (found.name, found.parameters) == ("Chest X-ray", ("temperature 2",))
    assert found.version.startswith("0.3.1, monai_medmamba")
    metadata.write_text("{}")
    with pytest.raises(ValueError, match=r"metadata.json: expected a JSON object with name and version"):
        describe_algorithm(weights, tmp_path)


def test_invalid_arguments(weights, tmp_path):
    with pytest.raises(FileNotFoundError, match="no weights at"):
        describe_algorithm(tmp_path / "none.pt")
    with pytest.raises(FileNotFoundError, match="name the folder of a MONAI Bundle"):
        describe_algorithm(weights, tmp_path)
    with pytest.raises(ValueError, match="a name and a version"):
        Algorithm("x", " ")
