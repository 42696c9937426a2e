"""What every bundle must be, read from its files."""

import configparser
import json
import os
from pathlib import Path

import pytest
from monai.bundle import ConfigWorkflow

from testing.bundles import BUNDLES, ROOT, monai_bundle

pytestmark = pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)


def config(bundle, name):
    return json.loads((bundle / "configs" / f"{name}.json").read_text())


def test_files(bundle):
    expected = [
        *(f"configs/{name}.json" for name in ("metadata", "train", "evaluate", "inference", "multi_gpu_train")),
        *("configs/logging.conf", "docs/README.md", "docs/data_license.txt", "LICENSE"),
    ]
    assert [name for name in expected if not (bundle / name).is_file()] == []
    assert not (bundle / "scripts").exists()


def test_sections_that_training_and_inference_share_agree(bundle):
    train, inference = config(bundle, "train"), config(bundle, "inference")
    assert train["network_def"] == inference["network_def"]
    assert train["network"] == inference["network"]
    assert train["validate"]["postprocessing"] == inference["postprocessing"]
    steps = train["train"]["deterministic_transforms"] + train["train"]["normalization"]
    assert inference["preprocessing"]["transforms"] == steps
    assert train["mean"] == inference["untrained"]["preprocessing"]["mean"]
    assert train["std"] == inference["untrained"]["preprocessing"]["std"]


@pytest.mark.parametrize(
    ("name", "alias"), [("train", "training"), ("evaluate", "evaluating"), ("inference", "inferring")]
)
def test_run_ids(bundle, name, alias):
    section = config(bundle, name)
    assert section["run"]
    assert section[alias] == "%run"


def test_logging_uses_the_standard_library_alone(bundle):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(bundle / "configs" / "logging.conf")
    assert {parser[section]["class"] for section in parser.sections() if "class" in parser[section]} <= {
        "StreamHandler"
    }


def test_metadata_is_valid(bundle):
    schema = os.environ.get("MEDMAMBA_META_SCHEMA")
    if not schema:
        pytest.skip("set MEDMAMBA_META_SCHEMA to MONAI's meta_schema_20240725.json")
    metadata = bundle / "configs" / "metadata.json"
    done = monai_bundle("verify_metadata", "--meta_file", str(metadata), "--filepath", str(Path(schema).resolve()))
    assert done.returncode == 0, done.stderr
    assert "verified with no error" in done.stdout + done.stderr


def test_metadata_says_what_it_must(bundle):
    metadata = config(bundle, "metadata")
    assert metadata["version"] in metadata["changelog"]
    assert "not for diagnostic use" in metadata["intended_use"].lower()
    output = metadata["network_data_format"]["outputs"]["pred"]
    assert sorted(output["channel_def"], key=int) == [str(i) for i in range(output["num_channels"])]


@pytest.mark.parametrize(("name", "kind"), [("train", "train"), ("inference", "infer")])
def test_properties(bundle, name, kind, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    workflow = ConfigWorkflow(
        config_file=str(bundle / "configs" / f"{name}.json"),
        workflow_type=kind,
        logging_file=False,
        output_dir=str(tmp_path / "output"),
        ckpt_dir=str(tmp_path / "models"),
    )
    workflow.initialize()
    assert workflow.check_properties() == []


def test_network_takes_and_gives_what_metadata_says(bundle, tmp_path):
    done = monai_bundle(
        *("verify_net_in_out", "--net_id", "network_def", "--device", "cpu"),
        *("--meta_file", str(bundle / "configs" / "metadata.json")),
        *("--config_file", str(bundle / "configs" / "inference.json"), "--ckpt_dir", str(tmp_path)),
    )
    assert done.returncode == 0, done.stderr
    assert "verified with no error" in done.stdout + done.stderr
