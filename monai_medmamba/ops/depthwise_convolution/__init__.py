"""The depthwise convolution of a map with its channels last."""

from .api import depthwise_convolution

__all__ = ["depthwise_convolution"]
