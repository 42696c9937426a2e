import pytest

from monai_medmamba.ops import cross_selective_scan
from testing.scans import scan_inputs

CASES = {
    "x of two axes": (0, lambda t: t[0, 0], ValueError, "channels last"),
    "x_dbl of another map": (1, lambda t: t[:, :2], ValueError, r"x_dbl: expected shape \(2, 3, 5, 4, 10\)"),
    "x_dbl without directions": (1, lambda t: t[..., 0, :], ValueError, "x_dbl"),
    "dt_weight of other channels": (2, lambda t: t[:, :3], ValueError, "dt_weight"),
    "dt_bias of other directions": (3, lambda t: t[:2], ValueError, r"dt_bias: expected shape \(4, 6\)"),
    "A without states": (4, lambda t: t[..., 0], ValueError, r"A of shape \(K, D, N\)"),
    "A of six directions": (4, lambda t: t.repeat(2, 1, 1)[:6], ValueError, "A: expected"),
    "D of other channels": (5, lambda t: t[:, :1], ValueError, "D: expected"),
    "x of integers": (0, lambda t: t.long(), TypeError, r"x: .*torch.int64"),
    "D on another device": (5, lambda t: t.to("meta"), ValueError, "D: expected on cpu"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_invalid_arguments(case):
    position, spoil, error, message = case
    tensors = scan_inputs((3, 5))
    tensors[position] = spoil(tensors[position])
    with pytest.raises(error, match=message):
        cross_selective_scan(*tensors)
