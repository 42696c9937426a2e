import pytest
import torch

from monai_medmamba.ops.cross_selective_scan import directions


def test_the_four_orders_of_an_image():
    x = torch.arange(6.0).reshape(1, 2, 3, 1)  # rows 0 1 2 and 3 4 5
    rows, columns, rows_back, columns_back = directions.gather(x)[0, :, :, 0].tolist()
    assert rows == [0, 1, 2, 3, 4, 5]
    assert columns == [0, 3, 1, 4, 2, 5]
    assert rows_back == rows[::-1]
    assert columns_back == columns[::-1]


def test_each_axis_of_a_volume_varies_fastest_once():
    x = torch.arange(24.0).reshape(1, 2, 3, 4, 1)
    first_steps = directions.gather(x)[0, :3, 1, 0].tolist()
    assert first_steps == [1, 4, 12]  # the strides of the last, middle and first axis


@pytest.mark.parametrize("space", [(1, 1), (2, 3), (5, 4), (2, 3, 4)])
@pytest.mark.parametrize("pair", [("gather", "scatter_sum"), ("gather_own", "scatter_own")])
def test_scatter_is_the_adjoint_of_gather(space, pair):
    gather, scatter = (getattr(directions, name) for name in pair)
    own = (2 * len(space),) if pair[0] == "gather_own" else ()
    x = torch.randn(2, *space, *own, 3, dtype=torch.float64)
    sequences = gather(x)
    y = torch.randn_like(sequences)
    torch.testing.assert_close((sequences * y).sum(), (x * scatter(y, space)).sum())


def test_a_map_of_its_own_goes_the_direction_s_way():
    x = torch.randn(2, 4, 3, 4, 5)
    for k in range(4):
        assert torch.equal(directions.gather_own(x)[:, k], directions.gather(x[..., k, :])[:, k])
