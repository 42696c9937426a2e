import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.engines import SupervisedEvaluator

from monai_medmamba.inference import WindowInferer
from monai_medmamba.networks import MedMamba


def mean_and_place(x):
    """Stand in for a network: a window's mean and its brightest voxel."""
    return torch.stack([x.flatten(1).mean(1), x.flatten(1).amax(1)], 1)


@pytest.mark.parametrize("space", [(32, 32, 32), (40, 33, 32), (64, 48, 32), (100, 32, 70)])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_windows_cover_every_voxel_and_have_one_size(space, overlap):
    windows = WindowInferer(32, overlap).windows(space)
    seen = torch.zeros(space)
    for window in windows:
        seen[window] += 1
        assert seen[window].shape == (32, 32, 32)
    assert seen.min() >= 1
    assert len(set(map(str, windows))) == len(windows)


def test_an_input_of_the_window_s_size_goes_through_as_it_is():
    torch.manual_seed(0)
    network = MedMamba(3, 1, num_classes=3, depths=(1, 1), dims=(8, 16), d_state=4).eval()
    x = torch.randn(2, 1, 32, 40, 32)
    with torch.no_grad():
        torch.testing.assert_close(WindowInferer((32, 40, 32), top=1)(x, network), network(x))


def test_the_mean_is_that_of_the_windows():
    x = torch.randn(2, 1, 8, 4, 6)
    found = WindowInferer((4, 4, 6), overlap=0)(x, mean_and_place)
    expected = (mean_and_place(x[:, :, :4]) + mean_and_place(x[:, :, 4:])) / 2
    torch.testing.assert_close(found, expected)


def test_top_takes_the_highest_windows_of_each_class():
    x = torch.zeros(1, 1, 12, 4)
    x[..., :4, :], x[..., 4:8, :], x[..., 8:, :] = 3, 5, 1
    assert WindowInferer(4, 0)(x, mean_and_place).tolist() == [[3, 3]]
    assert WindowInferer(4, 0, top=1)(x, mean_and_place).tolist() == [[5, 5]]
    assert WindowInferer(4, 0, top=2)(x, mean_and_place).tolist() == [[4, 4]]
    assert WindowInferer(4, 0, top=9)(x, mean_and_place).tolist() == [[3, 3]]


def test_each_input_keeps_its_own_windows():
    x = torch.randn(3, 2, 10, 9)
    inferer = WindowInferer(4, 0.5, batch_size=3, top=2)
    found = inferer(x, mean_and_place)
    for one, expected in zip(x, found, strict=True):
        torch.testing.assert_close(inferer(one[None], mean_and_place)[0], expected)


def test_a_small_input_is_padded_around():
    seen = []
    WindowInferer((4, 8), padding_value=-1)(torch.ones(1, 1, 4, 3), lambda x: seen.append(x) or x.mean((2, 3)))
    assert seen[0][0, 0, 0].tolist() == [-1, -1, 1, 1, 1, -1, -1, -1]


def test_the_batch_size_changes_nothing_but_the_calls():
    x, sizes = torch.randn(2, 1, 16, 16), []
    results = []
    for batch_size in (1, 4, 100):
        calls = []
        results.append(
            WindowInferer(8, 0, batch_size)(x, lambda y, calls=calls: calls.append(len(y)) or y.mean((2, 3)))
        )
        sizes.append(calls)
    assert sizes == [[2, 2, 2, 2], [8], [8]]
    torch.testing.assert_close(results[0], results[1])
    torch.testing.assert_close(results[0], results[2])


@pytest.mark.parametrize("wrong", [{"roi_size": 0}, {"overlap": 1.0}, {"batch_size": 0}, {"top": 0}, {"roi_size": ()}])
def test_invalid_arguments(wrong):
    with pytest.raises(ValueError, match="expected a positive roi_size"):
        WindowInferer(**{"roi_size": 4, **wrong})
    with pytest.raises(ValueError, match=r"2 spatial axes, as roi_size has, got \(8, 8, 8\)"):
        WindowInferer((4, 4)).windows((8, 8, 8))


def test_under_an_evaluator():
    items = [{"image": MetaTensor(torch.full((1, 8, 8, 8), float(i))), "label": i} for i in range(2)]
    evaluator = SupervisedEvaluator(
        torch.device("cpu"),
        DataLoader(Dataset(items), batch_size=2),
        torch.nn.Sequential(torch.nn.AvgPool3d(4), torch.nn.Flatten()),
        inferer=WindowInferer(4, 0),
    )
    evaluator.run()
    assert [float(item["pred"]) for item in evaluator.state.output] == [0, 1]
