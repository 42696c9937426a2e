"""The mean of several networks and views."""

import pytest
import torch
from torch import nn

from monai_medmamba.networks import ProbabilityEnsemble


def make(count=1, flips=((),), classes=3, **settings):
    torch.manual_seed(0)
    ensemble = ProbabilityEnsemble(nn.Sequential(nn.Flatten(), nn.Linear(32, classes)), count, flips, **settings)
    for member in ensemble.members:
        nn.init.normal_(member[1].weight)
    return ensemble.double()


def test_mean_of_probabilities_at_each_members_own_temperature():
    ensemble, x = make(3), torch.rand(4, 2, 4, 4, dtype=torch.double)
    ensemble.temperatures.copy_(torch.tensor([0.5, 1.0, 2.0]))
    expected = sum(m(x).div(t).softmax(1) for m, t in zip(ensemble.members, (0.5, 1.0, 2.0), strict=True)) / 3
    torch.testing.assert_close(ensemble(x).softmax(1), expected.float())


def test_several_labels():
    ensemble, x = make(3, several_labels=True), torch.rand(4, 2, 4, 4, dtype=torch.double)
    expected = sum(m(x).sigmoid() for m in ensemble.members) / 3
    torch.testing.assert_close(ensemble(x).sigmoid(), expected.float())


@pytest.mark.parametrize("several_labels", [False, True])
def test_sure_members_stay_finite(several_labels):
    ensemble = ProbabilityEnsemble(nn.Identity(), 2, several_labels=several_labels)
    logits = torch.tensor([[200.0, -200.0], [0.0, 0.0]], requires_grad=True)
    found = ensemble(logits)
    assert found.isfinite().all()
    found.sum().backward()
    assert logits.grad.isfinite().all()


def test_views_of_an_image():
    """Height is axis 0, width axis 1, as an image lies in memory."""
    ensemble, x = make(1, flips=[[], [1], [0], [0, 1]]), torch.rand(4, 2, 4, 4, dtype=torch.double)
    member = ensemble.members[0]
    views = [x, x.flip(3), x.flip(2), x.flip(2, 3)]
    torch.testing.assert_close(ensemble(x).softmax(1), (sum(member(v).softmax(1) for v in views) / 4).float())


def test_one_member_and_view_is_the_network():
    ensemble, x = make(), torch.rand(4, 2, 4, 4, dtype=torch.double)
    torch.testing.assert_close(ensemble(x).softmax(1), ensemble.members[0](x).softmax(1).float())


def test_invalid_arguments():
    for count, flips in ((0, [[]]), (1, [])):
        with pytest.raises(ValueError, match="expected a member and a view or more"):
            ProbabilityEnsemble(nn.Identity(), count, flips)
