"""Bundles under MONAI's federated client, as it is and as ours."""

import pytest
import torch
from monai.fl.client import MonaiAlgo
from monai.fl.utils.constants import ExtraItems
from monai.fl.utils.exchange_object import ExchangeObject
from monai.networks.utils import get_state_dict

from monai_medmamba.federated import HospitalAlgo
from testing.bundles import BUNDLES, ROOT, sample_training

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:executing the bundle config")]


def a_round(client):
    """Judge, train and send, as an engine asks for it."""
    began = {name: tensor.clone() for name, tensor in get_state_dict(client.trainer.network).items()}
    figures = client.evaluate(ExchangeObject(weights=began)).metrics
    client.train(ExchangeObject(weights=began))
    sent = client.get_weights().weights
    client.finalize()
    assert {"val_auc", "val_accuracy", "val_loss"} <= figures.keys()
    assert sent.keys() == began.keys()
    assert any(not torch.equal(sent[name], began[name]) for name in began)


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_a_hospital_trains_any_bundle(bundle, tmp_path):
    settings = sample_training(bundle, tmp_path / "images")
    data = settings.pop("dataset_dir")
    epochs = settings.pop("epochs")
    hospital = HospitalAlgo(
        str(bundle), data, ["a", "b"], 1, epochs, str(tmp_path / "{site}"), {**settings, "num_workers": 1}
    )
    hospital.initialize({ExtraItems.CLIENT_NAME: "north"})
    a_round(hospital)
    assert (tmp_path / "north" / "global.safetensors").is_file()


def test_plain_client(tmp_path):
    """Evaluating by train.json: evaluate.json judges a checkpoint, and a client begins without one."""
    bundle = ROOT / "bundles" / "medmamba_xray"
    places = {"output_dir": f"{tmp_path}/output", "ckpt_dir": f"{tmp_path}/models", "num_workers": 1}
    settings = {**sample_training(bundle, tmp_path / "images"), **places}
    train = "configs/train.json"
    client = MonaiAlgo(
        str(bundle), 1, False, train, dict(settings), config_evaluate_filename=train, eval_kwargs=dict(settings)
    )
    client.initialize({ExtraItems.CLIENT_NAME: "north"})
    a_round(client)
