"""A trainer and an evaluator over a few random images: everything a handler sees, in a second."""

from typing import Any

import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.engines import SupervisedEvaluator, SupervisedTrainer
from monai.handlers import ValidationHandler
from monai.transforms import Activationsd
from torch.optim.lr_scheduler import LambdaLR

from monai_medmamba.handlers import ClassificationFigure
from monai_medmamba.networks import MedMamba, param_groups

CLASS_NAMES = ["a", "b"]


def toy_images(count: int = 8) -> list[dict[str, Any]]:
    """Return items as a bundle's dataset gives them; class 1 is brighter."""
    generator = torch.Generator().manual_seed(0)
    items = []
    for i in range(count):
        pixels = torch.rand(3, 32, 32, generator=generator) + i % 2
        items.append({"image": MetaTensor(pixels, meta={"filename_or_obj": f"image{i}.png"}), "label": i % 2})
    return items


class Toy:
    """A network, its optimiser and schedule, an evaluator, and a trainer that validates after each epoch."""

    def __init__(
        self, epochs: int = 2, seed: int = 0, handlers: Any = (), val_handlers: Any = (), decollate: bool = True
    ) -> None:
        torch.manual_seed(seed)
        self.network = MedMamba(num_classes=2, depths=(1,), dims=(8,), d_state=2, drop_path_rate=0.5)
        self.optimizer = torch.optim.AdamW(param_groups(self.network, 0.01), lr=1e-2)
        self.lr_scheduler = LambdaLR(self.optimizer, lambda step: 0.99**step)
        self.dataset = Dataset(toy_images())
        loader = DataLoader(self.dataset, batch_size=4)
        self.evaluator = SupervisedEvaluator(
            torch.device("cpu"),
            loader,
            self.network,
            postprocessing=Activationsd(keys="pred", softmax=True, dim=-1),
            key_val_metric={"val_auc": ClassificationFigure("auc", CLASS_NAMES)},
            val_handlers=list(val_handlers),
            decollate=decollate,
            metric_cmp_fn=lambda current, best: current >= best,
        )
        self.trainer = SupervisedTrainer(
            torch.device("cpu"),
            epochs,
            DataLoader(self.dataset, batch_size=4, shuffle=True),
            self.network,
            self.optimizer,
            torch.nn.CrossEntropyLoss(),
            train_handlers=[ValidationHandler(1, self.evaluator)],
            decollate=False,
        )
        for handler in handlers:
            handler.attach(self.trainer)
