"""The checks that every size and form of MedMamba must pass, in 2-D and in 3-D."""

from dataclasses import dataclass
from typing import Any

import torch

from monai_medmamba.networks import MedMamba


@dataclass(frozen=True)
class ModelTester:
    """One form of the network.

    Args:
        arguments: of MedMamba.
        input_shape: of a batch.
        strides: of each stage's map, along each axis.
    """

    arguments: dict[str, Any]
    input_shape: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]

    def __str__(self) -> str:
        return "-".join(map(str, self.input_shape))

    def network(self, **changes: Any) -> MedMamba:
        """Returns the network with weights from one seed, in training mode."""
        torch.manual_seed(0)
        return MedMamba(**(self.arguments | changes))

    def input(self, batch: int | None = None, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Returns a random batch."""
        torch.manual_seed(1)
        return torch.randn(self.input_shape if batch is None else (batch, *self.input_shape[1:]), dtype=dtype)

    def check_shape(self) -> None:
        """The logits, and every map at its strides."""
        net, x = self.network().eval(), self.input()
        with torch.no_grad():
            maps = net.forward_features(x)
            assert net(x).shape == (len(x), net.num_classes)
        assert net.feature_strides == self.strides
        for m, dim, strides in zip(maps, net.dims, self.strides, strict=True):
            divided = (edge // stride for edge, stride in zip(x.shape[2:], strides, strict=True))
            assert m.shape == (len(x), dim, *divided)

    def check_backends(self, *backends: str) -> None:
        """Logits and every gradient of a training step are those of the reference, in float64."""
        found = []
        for name in ("reference", *backends):
            net = self.network(drop_path_rate=0.0, backend=name).double()
            logits = net(self.input(dtype=torch.float64))
            (logits * torch.linspace(-1, 1, logits.numel()).view_as(logits)).sum().backward()
            found.append({"logits": logits.detach(), **{k: p.grad for k, p in net.named_parameters()}})
        for place, backend in enumerate(backends, start=1):
            for name, expected in found[0].items():
                torch.testing.assert_close(found[place][name], expected, rtol=1e-6, atol=1e-8, msg=f"{backend}: {name}")

    def check_compiles(self) -> None:
        """One graph computes the same."""
        net, x = self.network().eval(), self.input()
        torch.testing.assert_close(compile_whole(net)(x), net(x))

    def check_exports(self) -> None:
        """A program of torch.export with a free batch computes the same."""
        net = self.network().eval()
        batch = torch.export.Dim("batch", min=1, max=64)
        program = torch.export.export(net, (self.input(2),), dynamic_shapes=({0: batch},))
        torch.testing.assert_close(program.module()(self.input(3)), net(self.input(3)))

    def check_checkpointing(self, stages: Any, *, compiled: bool = False) -> None:
        """Computing blocks again changes neither gradients nor running statistics, random depth included."""
        found = []
        for use_checkpoint in (False, stages):
            net, x = self.network(drop_path_rate=0.5, use_checkpoint=use_checkpoint).double(), self.input()
            run = compile_whole(net) if compiled and use_checkpoint else net
            torch.manual_seed(2)
            for _ in range(2):
                run(x.double()).square().sum().backward()
            found.append((dict(net.named_buffers()), {name: p.grad for name, p in net.named_parameters()}))
        for plain, again in zip(*found, strict=True):
            for name, expected in plain.items():
                torch.testing.assert_close(again[name], expected, msg=name)


def compile_whole(net: torch.nn.Module) -> Any:
    """Compile a network, fast and unbroken, as if it were the first of the process: dynamo counts what came before."""
    torch._dynamo.reset()
    return torch.compile(net, fullgraph=True, backend="aot_eager")
