import pytest
import torch

from monai_medmamba.federated import federated_average


def weights(value: float, count: int = 1):
    return {"w": torch.full((2, 3), value), "bn.running_var": torch.tensor([value]), "count": torch.tensor(count)}


def test_counts_by_images():
    average = federated_average([(weights(1.0, 5), 30), (weights(4.0, 7), 60)])
    torch.testing.assert_close(average["w"], torch.full((2, 3), 3.0))
    torch.testing.assert_close(average["bn.running_var"], torch.tensor([3.0]))


def test_whole_numbers_take_the_largest():
    average = federated_average([(weights(1.0, 5), 30), (weights(4.0, 7), 60)])
    assert average["count"] == 7
    assert average["count"].dtype == torch.int64


def test_one_hospital_is_left_as_it_is():
    sent = {"w": torch.randn(50), "half": torch.randn(50).bfloat16()}
    average = federated_average([(sent, 17)])
    assert all(torch.equal(average[name], sent[name]) and average[name].dtype == sent[name].dtype for name in sent)


def test_touches_nothing_that_came():
    first, second = weights(1.0), weights(3.0)
    federated_average([(first, 1), (second, 1)])
    assert first["w"].eq(1).all()
    assert second["w"].eq(3).all()


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ([], "one hospital or more"),
        ([(weights(1.0), 0)], "at least 1 image"),
        ([(weights(1.0), 1), ({"w": torch.zeros(2, 3)}, 1)], "number 2 differs"),
        ([(weights(1.0), 1), (weights(1.0) | {"w": torch.zeros(3, 2)}, 1)], "number 2 differs"),
    ],
)
def test_invalid_arguments(sent, message):
    with pytest.raises(ValueError, match=message):
        federated_average(sent)
