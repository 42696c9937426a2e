"""One client: what it refuses, what it leaves in its folder, and that rounds do not disturb a training."""

import csv
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigWorkflow
from monai.fl.utils.constants import ExtraItems, FlStatistics
from monai.fl.utils.exchange_object import ExchangeObject
from monai.networks.utils import get_state_dict

from monai_medmamba.federated import HospitalAlgo
from monai_medmamba.networks import load_weights

# MONAI's warning that a bundle may come from a federation's server.
pytestmark = pytest.mark.filterwarnings("ignore:executing the bundle config")

NAMES = ["bright", "dark", "middle"]


@pytest.fixture
def start(bundle, sites, settings, tmp_path):
    """Starts the client of the north."""

    def make(site="north", **changes):
        arguments = {"dataset_dir": str(sites["north"]), "folder": str(tmp_path / "{site}"), "settings": settings}
        hospital = HospitalAlgo(str(bundle), **{**arguments, **changes})
        hospital.initialize({ExtraItems.CLIENT_NAME: site})
        return hospital

    return make


def copied(state):
    return {name: tensor.clone() for name, tensor in state.items()}


def test_rounds_of_one_hospital_are_a_plain_training(start, bundle, sites, settings, tmp_path):
    """Two rounds of one epoch leave the bits of two epochs: schedule, optimiser, seeds and statistics go on."""
    plain = ConfigWorkflow(
        config_file=str(bundle / "configs" / "train.json"),
        logging_file=False,
        workflow_type="train",
        dataset_dir=str(sites["north"]),
        output_dir=str(tmp_path / "plain"),
        ckpt_dir=str(tmp_path / "plain"),
        epochs=2,
        **settings,
    )
    plain.initialize()
    network = plain.parser.get_parsed_content("network")
    began = copied(network.state_dict())
    plain.run()

    hospital = start(rounds=2)
    weights = began
    for _ in range(2):
        hospital.evaluate(ExchangeObject(weights=weights))
        hospital.train(ExchangeObject(weights=weights))
        weights = copied(hospital.get_weights().weights)
    different = [name for name, tensor in network.state_dict().items() if not torch.equal(tensor, weights[name])]
    assert not different
    assert any(not torch.equal(began[name], weights[name]) for name in began)


def test_running_statistics_are_exchanged(start):
    hospital = start()
    began = copied(get_state_dict(hospital.trainer.network))
    assert any(name.endswith("running_mean") for name in began)
    changed = {name: tensor + 1 if name.endswith("running_mean") else tensor for name, tensor in began.items()}
    hospital.evaluate(ExchangeObject(weights=changed))
    judged = hospital.evaluator.network.state_dict()
    assert all(torch.equal(judged[name], changed[name]) for name in changed)
    hospital.train(ExchangeObject(weights=changed))
    sent = hospital.get_weights()
    assert sent.weights.keys() == began.keys()
    assert sent.statistics["images"] == len(hospital.data.training)
    assert sent.statistics[FlStatistics.NUM_EXECUTED_ITERATIONS] == len(hospital.data.training) // 8


def test_files_of_the_hospital(start, tmp_path):
    hospital = start(class_names=NAMES)
    weights = copied(get_state_dict(hospital.trainer.network))
    hospital.train(ExchangeObject(weights=weights))
    trained = copied(hospital.get_weights().weights)
    figures = hospital.evaluate(ExchangeObject(weights=trained)).metrics
    hospital.finalize()
    folder = tmp_path / "north"
    network, description = load_weights(folder / "global.safetensors")
    assert description["class_names"] == NAMES
    assert description["preprocessing"]["image_size"] == 32
    assert all(torch.equal(tensor, trained[name]) for name, tensor in network.state_dict().items())
    with (folder / "rounds.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert float(row["val_loss"]) == figures["val_loss"]
    assert {path.name for path in (folder / "models").iterdir()} == {"last.pt", "model.pt", "model.safetensors"}
    assert (folder / "output" / "history.csv").is_file()


def test_the_hospital_says_where_its_data_lie(start, sites, monkeypatch):
    monkeypatch.setenv("HOSPITAL_IMAGES", str(sites["south"].parent))
    hospital = start("south", dataset_dir="$HOSPITAL_IMAGES/{site}")
    assert Path(hospital.data.root) == sites["south"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_names": ["dark", "middle", "bright"]}, r"hospital north: expected the classes .* in this order"),
        ({"class_names": ["bright", "dark"]}, "expected the classes of the federation"),
        ({"settings": {"variant": "nano"}}, "one value for all hospitals in the settings, got none of image_size"),
        ({"dataset_dir": "$NOWHERE_SET/images"}, "names a variable that is not set"),
        ({"settings": {"resume": True}}, "expected settings that a federation leaves open, got resume"),
        ({"settings": {"epochs": 3}}, "got epochs"),
        ({"rounds": 0}, "1 round and 1 local epoch or more"),
        ({"site": "../up"}, "client's name that can name a folder"),
    ],
)
def test_refuses(start, monkeypatch, changes, message):
    monkeypatch.delenv("NOWHERE_SET", raising=False)
    with pytest.raises(ValueError, match=message):
        start(**changes)


def test_weights_of_other_classes_are_refused(start):
    hospital = start()
    weights = copied(get_state_dict(hospital.trainer.network))
    weights["head.weight"] = torch.zeros(5, weights["head.weight"].shape[1])
    with pytest.raises(ValueError, match=r"head\.weight"):
        hospital.train(ExchangeObject(weights=weights))


def test_a_hospital_that_did_not_start_takes_no_part(bundle, sites, settings, tmp_path):
    """FLARE's executor logs what initialize raises, and gives out tasks all the same."""
    hospital = HospitalAlgo(
        str(bundle), str(sites["north"]), ["dark"], folder=str(tmp_path / "{site}"), settings=settings
    )
    for reason in ("never started", "expected the classes of the federation"):
        for call in (hospital.train, hospital.evaluate, lambda data: hospital.get_weights()):
            with pytest.raises(RuntimeError, match=f"takes no part: .*{reason}"):
                call(ExchangeObject(weights={"head.weight": torch.zeros(1)}))
        with pytest.raises(ValueError, match="expected the classes"):
            hospital.initialize({ExtraItems.CLIENT_NAME: "north"})
