"""What every section of the GPU suite shares: the device, the sizes, the networks, the record."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from cases import PRECISIONS, Case, Scale
from peers import peer
from published import build
from record import Record
from timing import capture
from torch import Tensor, nn

from monai_medmamba.networks import compile_network, create_medmamba, from_published

CLASSES = 6


@dataclass
class Suite:
    """One run."""

    record: Record
    device: torch.device
    scale: Scale
    backends: tuple[str, ...]  # of the scan; the networks run on the first
    published: type[nn.Module] | None = None  # the network's class

    def build(self, code: str, name: str) -> nn.Module:
        """Return a network with weights from one seed; ours and the published one have the same."""
        if code == "timm":
            torch.manual_seed(0)
            return peer(name, CLASSES, self.scale.size, self.device)
        if code == "published":
            return self._published(name).to(self.device)
        torch.manual_seed(0)
        network = create_medmamba(name, num_classes=CLASSES, backend=self.backends[0])
        if self.published is not None:
            network.load_state_dict(from_published(self._published(name).state_dict()))
        return network.to(self.device)

    def _published(self, name: str) -> nn.Module:
        if self.published is None:
            raise RuntimeError("name a checkout of the published code with --published")
        torch.manual_seed(0)
        return build(self.published, name, CLASSES)

    def images(self, case: Case, size: int | None = None) -> Tensor:
        """Return a random batch in the layout that suits the network."""
        size = size or self.scale.size
        x = torch.randn(case.batch, 3, size, size, device=self.device)
        x = x.to(PRECISIONS[case.precision].dtype)
        return x.contiguous(memory_format=torch.channels_last) if case.code == "timm" else x

    def inference(self, network: nn.Module, case: Case, x: Tensor) -> Callable[[], object]:
        """Return a call that classifies ``x`` in the case's precision and mode; the network itself stays as it is."""
        precision = PRECISIONS[case.precision]
        network.eval()
        if case.mode.startswith("fused"):
            # Weights in bf16 in place of autocast: no cast is left to do.
            network = network.fuse(torch.bfloat16 if precision.autocast else None)
            precision = replace(precision, autocast=False)
        if precision.dtype != torch.float32:
            network = copy.deepcopy(network).to(precision.dtype)
        if "compile" in case.mode:
            network = self._compiled(network, case)

        def run() -> Tensor:
            with torch.no_grad(), precision.set(self.device):
                return network(x)

        return capture(run) if case.mode.endswith("graph") else run

    def training_step(self, network: nn.Module, case: Case, x: Tensor) -> Callable[[], object]:
        """Return a call that trains on ``x`` once: forward, cross-entropy, backward, fused AdamW.

        It is not captured in a graph yet, but can be where the case says so.
        """
        precision = PRECISIONS[case.precision]
        label = torch.randint(CLASSES, (len(x),), device=self.device)
        in_graph = case.mode.endswith("graph")
        optimizer = torch.optim.AdamW(network.train().parameters(), lr=1e-4, fused=True, capturable=in_graph)
        if "compile" in case.mode:
            network = self._compiled(network, case)

        def step() -> Tensor:
            optimizer.zero_grad()
            with precision.set(self.device):
                loss = nn.functional.cross_entropy(network(x), label)
            loss.backward()
            optimizer.step()
            return loss

        return step

    @staticmethod
    def _compiled(network: nn.Module, case: Case) -> nn.Module:
        torch._dynamo.reset()
        return compile_network(network) if case.code == "ours" else torch.compile(network, dynamic=False)

    def fields(self, what: str, case: Case, **more: object) -> dict:
        """Return what a row says of its case."""
        named = {"code": case.code, "network": case.network}
        if case.code == "ours":
            named["backend"] = self.backends[0]
        return {
            "what": what,
            **named,
            "batch": case.batch,
            **more,
            **PRECISIONS[case.precision].fields,
            "mode": case.mode,
        }
