"""A label application in this process, with phantoms for studies and weights that have learned nothing."""

import pytest

from testing.label_server import make_bundle, make_studies


@pytest.fixture
def studies(tmp_path):
    """The folder of nine pictures, three of each class."""
    make_studies(tmp_path / "studies")
    return tmp_path / "studies"


@pytest.fixture
def model(tmp_path):
    """A model with weights."""
    from monai_medmamba.label.label_bundle import find_bundle
    from monai_medmamba.label.served_model import ServedModel

    bundle = find_bundle(str(make_bundle(tmp_path / "bundles")))
    return ServedModel(bundle, tmp_path / "app" / "model" / bundle.name, "cpu")


@pytest.fixture
def label(tmp_path, studies):
    """The application."""
    return make_label(tmp_path)


@pytest.fixture
def client(label):
    """A client of its server."""
    with make_client(label) as client:
        yield client


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory):
    """A client of a server for requests that change nothing, and the application."""
    folder = tmp_path_factory.mktemp("unchanged")
    make_studies(folder / "studies")
    label = make_label(folder)
    with make_client(label) as client:
        yield client, label


def make_label(folder):
    """An application with the studies in ``folder``."""
    from monai_medmamba.label.app import MedMambaLabelApp

    bundle = make_bundle(folder / "bundles")
    return MedMambaLabelApp(str(folder / "app"), str(folder / "studies"), {"models": str(bundle), "device": "cpu"})


def make_client(label):
    """A client of an application's server."""
    from fastapi.testclient import TestClient

    from monai_medmamba.label.server import build_server

    return TestClient(build_server(label), raise_server_exceptions=False)
