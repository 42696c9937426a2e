"""The job for NVIDIA FLARE: what stands in it, and what comes of it under FLARE's simulator.

The simulator needs nvflare and monai-nvflare, which want an environment of their own: MEDMAMBA_FLARE_PYTHON names its
Python.
"""

import csv
import json
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from monai_medmamba.federated import write_flare_job
from monai_medmamba.networks import MedMamba, load_weights
from testing.bundles import BUNDLES, ROOT

VARIABLE = "MEDMAMBA_FLARE_PYTHON"
NAMES = ["bright", "dark", "middle"]
ROUNDS, GLOBAL = 2, "FL_global_model.pt"


def config(job, side):
    return json.loads((job / f"{job.name}_app" / "config" / f"config_fed_{side}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_any_bundle(bundle, tmp_path):
    job = write_flare_job(bundle, tmp_path / "job", variant="nano", class_names=["a", "b"], rounds=7, hospitals=3)
    server, client = config(job, "server"), config(job, "client")
    network = MedMamba(**server["components"][0]["args"]["model"]["args"])  # what the server begins with
    assert network.num_classes == 2
    assert server["workflows"][0]["args"]["num_rounds"] == client["components"][0]["args"]["rounds"] == 7
    assert json.loads((job / "meta.json").read_text())["min_clients"] == 3
    assert sorted(path.suffix for path in job.rglob("*") if path.is_file()) == [".json"] * 3  # no code, no data


def test_the_classes_of_the_bundle(bundle, tmp_path):
    job = write_flare_job(bundle, tmp_path / "job", variant="nano")
    names = config(job, "client")["components"][0]["args"]["class_names"]
    assert (len(names), names[0]) == (8, "dyed-lifted-polyps")


def test_no_place_of_this_machine_is_in_it(bundle, tmp_path):
    job = write_flare_job(bundle, tmp_path / "job", variant="nano", settings={"image_size": 64})
    text = "".join(path.read_text() for path in job.rglob("*.json"))
    assert str(tmp_path) not in text
    assert str(ROOT) not in text


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"hospitals": 0}, {"local_epochs": 0}])
def test_invalid_arguments(bundle, tmp_path, wrong):
    with pytest.raises(ValueError, match="expected 1 or more of each"):
        write_flare_job(bundle, tmp_path / "job", variant="nano", **wrong)


def test_no_bundle(tmp_path):
    with pytest.raises(FileNotFoundError, match="name the folder of a bundle"):
        write_flare_job(tmp_path, tmp_path / "job", variant="nano", class_names=["a", "b"])


@pytest.fixture(scope="module")
def simulate(bundle, sites, settings, tmp_path_factory):
    """Simulates a federation of two hospitals with these classes, and returns workspace and output."""
    python = os.environ.get(VARIABLE)
    if not python:
        if find_spec("nvflare") is None or find_spec("monai_nvflare") is None:
            pytest.skip(f"needs nvflare and monai-nvflare; {VARIABLE} names the Python of an environment that has them")
        python = sys.executable
    variables = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "MEDMAMBA_BUNDLE": str(bundle),
        "MEDMAMBA_SITE_DATA": f"{sites['north'].parent}/{{site}}",
    }

    def run(names):
        folder = tmp_path_factory.mktemp("flare")
        job = write_flare_job(
            bundle, folder / "job", variant="nano", class_names=names, rounds=ROUNDS, settings=settings
        )
        work = folder / "workspace"
        command = [python, "-m", "nvflare.cli", "simulator", str(job), "-w", str(work), "-c", "north,south", "-t", "2"]
        done = subprocess.run(
            command, cwd=folder, env=variables, capture_output=True, text=True, errors="replace", timeout=400
        )
        return work, done.stdout + done.stderr

    return run


@pytest.fixture(scope="module")
def simulated(simulate):
    """The workspace of a simulation that went well."""
    work, printed = simulate(NAMES)
    assert GLOBAL in [path.name for path in (work / "server").rglob("*.pt")], printed[-5000:]
    return work


def hospital(work, site):
    return work / site / "simulate_job" / f"app_{site}" / "hospital"


@pytest.mark.slow
def test_the_server_averages_what_the_hospitals_trained(simulated):
    found = torch.load(simulated / "server" / "simulate_job" / "app_server" / "FL_global_model.pt", weights_only=False)[
        "model"
    ]
    trained, steps = [], []
    for site in ("north", "south"):
        last = torch.load(hospital(simulated, site) / "models" / "last.pt", weights_only=True)
        trained.append(last["model"])
        steps.append(last["iteration"] / ROUNDS)
    for name, tensor in trained[0].items():
        if tensor.is_floating_point():
            expected = np.average([w[name].double().numpy() for w in trained], axis=0, weights=steps)
            np.testing.assert_allclose(torch.as_tensor(found[name]).numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_every_hospital_keeps_the_average_and_judges_it(simulated):
    results = simulated / "server" / "simulate_job" / "cross_site_val" / "cross_val_results.json"
    figures = json.loads(results.read_text())
    networks = []
    for site in ("north", "south"):
        network, description = load_weights(hospital(simulated, site) / "global.safetensors")
        assert description["class_names"] == NAMES
        networks.append(network.state_dict())
        with (hospital(simulated, site) / "rounds.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert len(rows) == ROUNDS + 1
        (judged,) = figures[site].values()
        assert judged["val_auc"] == pytest.approx(float(rows[-1]["val_auc"]))
    assert all(torch.equal(networks[0][name], networks[1][name]) for name in networks[0])


@pytest.mark.slow
def test_weights_and_figures_alone_are_sent(simulated):
    sizes = set()
    for site in ("north", "south"):
        network, _ = load_weights(hospital(simulated, site) / "global.safetensors")
        numbers = sum(tensor.numel() for tensor in network.state_dict().values())
        with (hospital(simulated, site) / "exchanged.csv").open(newline="") as stream:
            sent = [row for row in csv.DictReader(stream) if row["direction"] == "sent"]
        assert [row["what"] for row in sent] == ["figures", "weights"] * ROUNDS + ["figures"]
        sizes |= {int(row["numbers"]) for row in sent}
        assert sizes == {0, numbers}


@pytest.mark.slow
def test_a_hospital_with_other_classes_stops_the_job(simulate):
    work, printed = simulate(["bright", "dark", "grey"])
    assert "this hospital takes no part" in printed
    assert "expected the classes of the federation" in printed
    assert GLOBAL not in [path.name for path in work.rglob("*.pt")]
    assert not list(work.rglob("last.pt"))
