"""Arguments that are one number for all axes of an image, or one for each."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["per_axis"]


def per_axis(name: str, value: int | Sequence[int], spatial_dims: int) -> tuple[int, ...]:
    """Returns one number for each spatial axis.

    Args:
        name: of the argument, for the error.
        value: a number for all axes, or one for each, in the order of the image's axes; each at least 1.
        spatial_dims: the number of axes.

    Returns:
        ``spatial_dims`` numbers.

    Raises:
        ValueError: there are not as many numbers as axes, or one is no whole number of at least 1.

    Example:
        >>> per_axis("patch_size", 4, 2), per_axis("patch_size", [1, 4, 4], 3)
        ((4, 4), (1, 4, 4))
    """
    numbers = tuple(value) if isinstance(value, Sequence) else (value,) * spatial_dims
    if len(numbers) != spatial_dims or not all(isinstance(number, int) and number >= 1 for number in numbers):
        raise ValueError(
            f"{name}: expected a whole number of at least 1, or {spatial_dims} of them, one an axis, got {value}"
        )
    return numbers
