import csv
import math

import numpy as np
import pytest
import torch
from monai.fl.utils.constants import FlStatistics, WeightType
from monai.fl.utils.exchange_object import ExchangeObject

from monai_medmamba.federated import ExchangeGuard


def weights():
    return {"conv.weight": torch.randn(8, 3, 4, 4), "bn.num_batches_tracked": torch.tensor(3)}


@pytest.fixture
def guard(tmp_path):
    made = ExchangeGuard(tmp_path / "site" / "exchanged.csv")
    made.receive(ExchangeObject(weights=weights()))
    return made


def test_weights_and_figures_pass(guard):
    statistics = {FlStatistics.NUM_EXECUTED_ITERATIONS: 18, "images": 144}
    sent = ExchangeObject(weights=weights(), weight_type=WeightType.WEIGHTS, statistics=statistics)
    assert guard.send(sent) is sent
    figures = ExchangeObject(metrics={"val_auc": 0.8, "val_f1": math.nan, "val_loss": np.float64(1)})
    assert guard.send(figures) is figures


def test_engines_may_bring_arrays(guard):
    arrays = {name: tensor.numpy() for name, tensor in weights().items()}
    guard.receive(ExchangeObject(weights=arrays))
    guard.send(ExchangeObject(weights=arrays))


def test_everything_is_noted(guard):
    guard.send(ExchangeObject(weights=weights(), statistics={"images": 144}))
    guard.send(ExchangeObject(metrics={"val_auc": 0.8}))
    with guard.table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    size = 8 * 3 * 4 * 4 * 4 + 8
    assert [(row["direction"], row["what"], int(row["bytes"]), row["figures"]) for row in rows] == [
        ("received", "weights", size, ""),
        ("sent", "weights", size + 8, "images"),
        ("sent", "figures", 8, "val_auc"),
    ]
    assert [int(row["numbers"]) for row in rows] == [385, 385, 0]


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"weights": weights() | {"batch": torch.zeros(16, 3, 64, 64)}}, "batch"),
        ({"weights": weights() | {"conv.weight": torch.zeros(3, 64, 64)}}, "conv.weight"),
        ({"weights": {"conv.weight": torch.zeros(8, 3, 4, 4)}}, "lacking: bn.num_batches_tracked"),
        ({"weights": weights() | {"conv.weight": torch.full((8, 3, 4, 4), math.nan)}}, "not finite"),
        ({"weights": weights() | {"conv.weight": "Doe^Jane"}}, "numbers in every weight"),
        ({"weights": {}}, "expected weights by name"),
        ({"metrics": {"image": "site/Doe^Jane.png"}}, "expected numbers as metrics"),
        ({"metrics": {"image": torch.zeros(3, 64, 64)}}, "expected numbers as metrics"),
        ({"metrics": {"confusion": [[1, 2], [3, 4]]}}, "expected numbers as metrics"),
        ({"metrics": {7: 0.5}}, "expected numbers as metrics"),
        ({"statistics": {"worst": "Doe^Jane.png"}}, "expected numbers as statistics"),
        ({"optim": {"state": {}}}, "no state of the optimiser"),
    ],
)
def test_nothing_else_leaves(guard, sent, message):
    before = len(guard.rows)
    with pytest.raises(ValueError, match=f"nothing was sent: .*{message}"):
        guard.send(ExchangeObject(**sent))
    assert len(guard.rows) == before


def test_an_extra_key_does_not_leave(guard):
    sent = ExchangeObject(metrics={"val_auc": 0.5})
    sent["images"] = torch.zeros(4, 3, 64, 64)
    with pytest.raises(ValueError, match=r"got \['images'\] as well"):
        guard.send(sent)


def test_weights_need_to_have_come_first(tmp_path):
    with pytest.raises(ValueError, match="no weights were received"):
        ExchangeGuard(tmp_path / "exchanged.csv").send(ExchangeObject(weights=weights()))


def test_another_network_is_not_taken(guard):
    other = {"conv.weight": torch.zeros(8, 3, 4, 4), "bn.num_batches_tracked": torch.tensor([1, 2])}
    with pytest.raises(ValueError, match=r"nothing was taken.*same variant and the same classes"):
        guard.receive(ExchangeObject(weights=other))
