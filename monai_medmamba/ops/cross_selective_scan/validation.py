"""What the operation accepts, checked before anything runs."""

from __future__ import annotations

from torch import Tensor


def validate(x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> None:
    """Checks shapes, dtypes and devices of a call.

    Raises:
        ValueError: a shape does not fit, naming the tensor, the shape expected and the shape found.
        TypeError: a tensor is not of a real floating dtype.
    """
    if x.dim() not in (4, 5):
        raise ValueError(f"x: expected (B, H, W, D) or (B, H, W, Z, D), channels last, got shape {tuple(x.shape)}")
    if A.dim() != 3 or dt_weight.dim() != 3:
        raise ValueError(
            f"expected A of shape (K, D, N) and dt_weight of shape (K, D, R), "
            f"got A {tuple(A.shape)} and dt_weight {tuple(dt_weight.shape)}"
        )
    k, d = 2 * (x.dim() - 2), x.shape[-1]
    n, r = A.shape[-1], dt_weight.shape[-1]
    expected = {
        "x_dbl": (x_dbl, (*x.shape[:-1], k, r + 2 * n)),
        "dt_weight": (dt_weight, (k, d, r)),
        "dt_bias": (dt_bias, (k, d)),
        "A": (A, (k, d, n)),
        "D": (D, (k, d)),
    }
    for name, (tensor, shape) in expected.items():
        if tuple(tensor.shape) != tuple(shape):
            raise ValueError(
                f"{name}: expected shape {tuple(shape)} beside x of shape {tuple(x.shape)} "
                f"(K = {k} directions), got {tuple(tensor.shape)}"
            )
    for name, tensor in {"x": x, **{key: value[0] for key, value in expected.items()}}.items():
        if not tensor.is_floating_point():
            raise TypeError(f"{name}: expected a real floating dtype, got {tensor.dtype}")
        if tensor.device != x.device:
            raise ValueError(f"{name}: expected on {x.device} beside x, got {tensor.device}")
