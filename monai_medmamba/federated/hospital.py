"""One hospital of a federation: MONAI's client with what the bundles of this package need."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.fl.client import MonaiAlgo
from monai.fl.utils.constants import ExtraItems
from monai.fl.utils.exchange_object import ExchangeObject

from ..files import atomic_path
from ..networks import save_weights
from .exchange_guard import ExchangeGuard

__all__ = ["HospitalAlgo"]

# Settings that a bundle chooses by the machine, where hospitals with and without a GPU must agree.
SHARED = ("variant", "image_size", "volume_size")
# What a round needs: TrainingCheckpoint would put a resumed file's weights over the server's, and the CUDA graphs'
# wrapper gives the weights other names.
FIXED = {"resume": False, "cuda_graph": False}


class HospitalAlgo(MonaiAlgo):
    """Trains a bundle on a hospital's own images, round by round, and sends weights and figures alone.

    It is ``monai.fl.client.MonaiAlgo``, so NVIDIA FLARE and any other engine that drives one can drive it, with these
    additions:

    - An :class:`ExchangeGuard` stands between the bundle and the server; its table is ``exchanged.csv``.
    - The hospital's classes must be those of the federation, in order.
    - The schedule of the learning rate spans all rounds, as do optimiser and epoch count, which stay in the hospital. A
      client that is started again begins them anew.
    - Evaluation takes the validation split and the weights that came, not a checkpoint of the hospital's own.
    - The weights that came last lie in ``global.safetensors``, fit for ``medmamba predict``, and what they came to on
      this hospital's validation images in ``rounds.csv``. ``models/`` has what the hospital itself trained.

    Everything in the network's state dict is exchanged, the running statistics of batch normalisation too.

    Args:
        bundle_root: the bundle's folder, absolute or relative to the engine's folder of the job. A bundle's configs are
            code: with a ``$VARIABLE`` that the hospital's machine sets, the hospital runs its own copy and the job
            brings none.
        dataset_dir: the hospital's data set, as the bundle's setting of this name; ``$VARIABLE`` as above, so that the
            job need not know where data lie, and ``{site}`` for the client's name.
        class_names: the classes of the federation, in order; empty takes whatever the data have.
        rounds: how many there will be, for the schedule.
        local_epochs: epochs in a round.
        folder: where the files go, with ``{site}`` and variables as above; relative to the engine's folder.
        settings: further settings of the bundle, by name. Those that it would choose by the machine (``variant``,
            ``image_size``) must be among them.
        send_weight_diff: sends the change of the weights in place of the weights.

    Raises:
        ValueError: ``rounds`` or ``local_epochs`` is below 1, or a setting is one that a federation fixes.

    Example:
        >>> HospitalAlgo("bundles/medmamba_endo", "$DATA/{site}", settings={"variant": "nano"}, rounds=0)
        Traceback (most recent call last):
        ValueError: expected 1 round and 1 local epoch or more, got 0 and 1
    """

    # MONAI builds these while it initializes.
    train_workflow: Any
    eval_workflow: Any
    trainer: Any
    evaluator: Any
    pre_filters: Any
    post_weight_filters: Any
    post_evaluate_filters: Any

    def __init__(
        self,
        bundle_root: str,
        dataset_dir: str,
        class_names: Sequence[str] = (),
        rounds: int = 1,
        local_epochs: int = 1,
        folder: str = "hospital",
        settings: Mapping[str, Any] | None = None,
        send_weight_diff: bool = False,
    ) -> None:
        if min(rounds, local_epochs) < 1:
            raise ValueError(f"expected 1 round and 1 local epoch or more, got {rounds} and {local_epochs}")
        taken = sorted((settings or {}).keys() & {*FIXED, "dataset_dir", "output_dir", "ckpt_dir", "epochs"})
        if taken:
            raise ValueError(f"expected settings that a federation leaves open, got {', '.join(taken)}; leave them out")
        train = "configs/train.json"
        super().__init__(bundle_root, local_epochs, send_weight_diff, train, config_evaluate_filename=train)
        self.dataset_dir, self.folder, self.settings = dataset_dir, folder, dict(settings or {})
        self.class_names, self.rounds, self.images = list(class_names), rounds, 0
        self._judged: list[dict[str, float]] = []
        self._refusal = "it was never started"

    def initialize(self, extra: dict[str, Any] | None = None) -> None:
        """Builds the bundle's training and evaluation on the hospital's data.

        Engines may only note an error that comes here, and go on: then every later call raises it again.

        Args:
            extra: what the engine tells: ``ExtraItems.CLIENT_NAME`` and ``ExtraItems.APP_ROOT``.

        Raises:
            ValueError: a variable is not set, a setting is left to the machine, or the classes are not the
                federation's.
        """
        try:
            self._start(extra or {})
        except Exception as error:
            self._refusal = f"{type(error).__name__}: {error}"
            raise
        self._refusal = ""

    def _start(self, extra: dict[str, Any]) -> None:
        site = str(extra.get(ExtraItems.CLIENT_NAME, "noname"))
        self.folder = os.path.join(str(extra.get(ExtraItems.APP_ROOT, "")), _filled(self.folder, site))
        places = {"output_dir": f"{self.folder}/output", "ckpt_dir": f"{self.folder}/models"}
        chosen = {**self.settings, **FIXED, **places, "epochs": self.rounds * self.local_epochs}
        self.bundle_root = _filled(self.bundle_root, site)
        chosen["dataset_dir"] = _filled(self.dataset_dir, site)
        self.train_kwargs, self.eval_kwargs = dict(chosen), dict(chosen)
        super().initialize(extra)
        parser = self.train_workflow.parser
        open_ = [name for name in SHARED if str(parser.get(name, "")).startswith("$")]
        if open_:
            raise ValueError(
                f"hospital {site}: expected one value for all hospitals in the settings, got none of "
                f"{', '.join(open_)}, which the bundle chooses by the machine; name them, such as variant=nano"
            )
        self.data = parser.get_parsed_content("data")
        found, self.images = list(self.data.class_names), len(self.data.training)
        if self.class_names and found != self.class_names:
            raise ValueError(
                f"hospital {site}: expected the classes of the federation, {self.class_names}, in this order, got "
                f"{found}; rename the class folders or labels, so that all hospitals have the same"
            )
        self.class_names = found
        guard = ExchangeGuard(Path(self.folder) / "exchanged.csv")
        self.pre_filters = [*(self.pre_filters or ()), guard.receive]
        self.post_weight_filters = [self._count_images, *(self.post_weight_filters or ()), guard.send]
        self.post_evaluate_filters = [*(self.post_evaluate_filters or ()), guard.send]

    def train(self, data: ExchangeObject, extra: dict[str, Any] | None = None) -> None:
        """Trains a round on the hospital's images.

        Args:
            data: the weights to begin with.
            extra: as the engine has it.

        Raises:
            ValueError: the weights are not of this network.
            RuntimeError: the hospital could not be started.
        """
        self._check_started()
        super().train(data, extra)

    def get_weights(self, extra: dict[str, Any] | None = None) -> ExchangeObject:
        """Returns what the hospital has trained, checked.

        Args:
            extra: as the engine has it.

        Returns:
            Weights, or their change, and how many images and steps they come from.

        Raises:
            ValueError: something else is in it.
            RuntimeError: the hospital could not be started.
        """
        self._check_started()
        return super().get_weights(extra)

    def evaluate(self, data: ExchangeObject, extra: dict[str, Any] | None = None) -> ExchangeObject:
        """Judges the weights of the federation on the hospital's validation images, and keeps them.

        Args:
            data: the weights.
            extra: as the engine has it.

        Returns:
            The bundle's validation figures.

        Raises:
            ValueError: the weights are not of this network.
            RuntimeError: the hospital could not be started.
        """
        self._check_started()
        figures = super().evaluate(data, extra)
        described = self.eval_workflow.parser.get_parsed_content("preprocessing_settings")
        several = bool(self.data.several_labels)
        path = Path(self.folder) / "global.safetensors"
        save_weights(path, self.evaluator.network, self.class_names, described, several_labels=several)
        self._judged.append({"local_epochs": self.trainer.state.epoch, **(figures.metrics or {})})
        with (
            atomic_path(Path(self.folder) / "rounds.csv") as temporary,
            temporary.open("w", newline="", encoding="utf-8") as stream,
        ):
            writer = csv.DictWriter(stream, fieldnames=list(self._judged[0]))
            writer.writeheader()
            writer.writerows(self._judged)
        return figures

    def _check_started(self) -> None:
        """Raises RuntimeError where the checks at the start did not pass: the guard is not in place then."""
        if self._refusal:
            raise RuntimeError(f"this hospital takes no part: {self._refusal}")

    def _count_images(self, data: ExchangeObject, extra: object = None) -> ExchangeObject:
        """Tells the server how many images the hospital counts for."""
        del extra
        data.statistics = {**(data.statistics or {}), "images": self.images}
        return data


def _filled(text: str, site: str) -> str:
    """Returns a path with the site's name and the machine's variables in it."""
    if not site or Path(site).name != site or site in (".", ".."):
        raise ValueError(f"expected a client's name that can name a folder, got {site!r}")
    filled = os.path.expandvars(text).replace("{site}", site)
    if "$" in filled:
        raise ValueError(f"hospital {site}: {text} names a variable that is not set on this machine; set it")
    return filled
