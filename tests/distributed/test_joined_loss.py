import pytest
import torch
from torch import nn

from monai_medmamba.distributed import JoinedLoss, join_batchnorm, join_gradients
from monai_medmamba.networks import create_medmamba
from testing.processes import in_processes

LABELS = torch.tensor([0, 1, 2, 2, 2, 0, 1])  # an odd number: shares of 4 and 3
WEIGHTS = torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64)


def setting(kind):
    torch.manual_seed(0)
    network = create_medmamba("nano", num_classes=3, drop_path_rate=0.0).double().train()
    if kind == "multi-label":
        loss, labels = nn.BCEWithLogitsLoss(), nn.functional.one_hot(LABELS, 3).double()
    else:
        loss = nn.CrossEntropyLoss(WEIGHTS if kind == "weighted" else None, label_smoothing=0.1)
        labels = LABELS
    return network, loss, torch.randn(len(LABELS), 3, 32, 32, dtype=torch.float64), labels


def train(network, module, loss, x, labels):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    values = []
    for _ in range(3):
        optimizer.zero_grad()
        value = loss(module(x), labels)
        value.backward()
        optimizer.step()
        values.append(value.item())
    gradients = [parameter.grad.clone() for parameter in network.parameters()]
    return values, gradients, {name: tensor.clone() for name, tensor in network.state_dict().items()}


def _train(rank, kind):
    network, loss, x, labels = setting(kind)
    join_batchnorm(network, torch.device("cpu"))
    module = join_gradients(network, torch.device("cpu"))
    return train(network, module, JoinedLoss(loss), x[rank::2], labels[rank::2])


@pytest.mark.parametrize("kind", ["plain", "weighted", "multi-label"])
def test_two_processes_with_unequal_shares_train_as_one(kind):
    """The whole network, its batch normalisation joined, in float64: equal to rounding after three steps."""
    network, loss, x, labels = setting(kind)
    values, gradients, state = train(network, network, loss, x, labels)
    for found_values, found_gradients, found_state in in_processes(2, _train, kind):
        assert found_values == pytest.approx(values, rel=1e-10)
        for found, expected in zip(found_gradients, gradients, strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-10)
        for name, expected in state.items():
            torch.testing.assert_close(found_state[name], expected, rtol=1e-7, atol=1e-10)


def test_alone_it_is_the_loss():
    loss, x = nn.CrossEntropyLoss(WEIGHTS.float()), torch.randn(7, 3)
    assert torch.equal(JoinedLoss(loss)(x, LABELS), loss(x, LABELS))


def _not_finite(rank):
    x = torch.full((2, 3), float("nan") if rank == 1 else 0.0)
    return JoinedLoss(nn.CrossEntropyLoss())(x, torch.tensor([0, 1])).item()


def test_a_loss_that_is_not_finite_is_seen_by_all():
    assert all(value != value for value in in_processes(2, _not_finite))
