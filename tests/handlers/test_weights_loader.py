"""Trained weights in the network that is evaluated."""

import pytest
import torch

from monai_medmamba.handlers import TrainingCheckpoint, WeightsLoader, read_checkpoint
from monai_medmamba.networks import MedMamba, ProbabilityEnsemble
from testing.training import CLASS_NAMES, Toy


@pytest.fixture
def trained(tmp_path):
    return train(tmp_path, seed=0)


def train(folder, seed):
    toy = Toy(1, seed)
    parts = (toy.network, toy.optimizer, toy.lr_scheduler, toy.evaluator)
    TrainingCheckpoint(folder, *parts, CLASS_NAMES, {"image_size": 32}, "toy").attach(toy.trainer)
    toy.trainer.run()
    return toy


def test_loaded_weights_are_those_saved(trained, tmp_path):
    fresh = Toy(seed=9)
    WeightsLoader(fresh.network, tmp_path / "last.pt", CLASS_NAMES).attach(fresh.evaluator)
    fresh.evaluator.run()
    for name, tensor in trained.network.state_dict().items():
        assert torch.equal(tensor, fresh.network.state_dict()[name])


def test_weights_of_another_shape_are_refused(trained, tmp_path):
    wide = MedMamba(num_classes=2, depths=(1,), dims=(16,), d_state=2)
    with pytest.raises(ValueError, match=r"(?s)model\.pt: the weights do not fit.*size mismatch"):
        WeightsLoader(wide, tmp_path / "model.pt", CLASS_NAMES)(trained.evaluator)


def test_an_ensemble_has_each_members_weights_and_temperature(tmp_path):
    toys = [train(tmp_path / str(seed), seed) for seed in (0, 1)]
    paths = [tmp_path / str(seed) / "last.pt" for seed in (0, 1)]
    ensemble = ProbabilityEnsemble(Toy(seed=9).network, 2)
    WeightsLoader(ensemble, paths, CLASS_NAMES)(toys[0].evaluator)
    for member, toy, temperature, path in zip(ensemble.members, toys, ensemble.temperatures, paths, strict=True):
        assert torch.equal(member.head.weight, toy.network.head.weight)
        assert temperature == pytest.approx(read_checkpoint(path)["description"]["calibration"]["temperature"])


def test_a_checkpoint_for_each_network(trained, tmp_path):
    with pytest.raises(ValueError, match="expected a checkpoint for each of 2 networks"):
        WeightsLoader(ProbabilityEnsemble(trained.network, 2), tmp_path / "last.pt", CLASS_NAMES)(trained.evaluator)
    with pytest.raises(ValueError, match="expected a checkpoint for each of 1 networks"):
        WeightsLoader(trained.network, [tmp_path / "last.pt"] * 2, CLASS_NAMES)(trained.evaluator)
