"""A federation on one machine: every hospital in turn, in one process, with averaging in between."""

from __future__ import annotations

import copy
import logging
import os
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai.fl.utils.constants import ExtraItems
from monai.fl.utils.exchange_object import ExchangeObject
from monai.networks.utils import get_state_dict

from .averaging import federated_average
from .hospital import HospitalAlgo

__all__ = ["Rehearsal", "rehearse"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rehearsal:
    """What a federation came to.

    Args:
        weights: the file of the averaged network.
        hospitals: each client, as it stands after the last round.
        steps: optimiser steps of each hospital.

    Example:
        >>> Rehearsal(Path("model.safetensors"), {}, {}).weights.name
        'model.safetensors'
    """

    weights: Path
    hospitals: dict[str, HospitalAlgo]
    steps: dict[str, int]


def rehearse(
    bundle: str | os.PathLike[str],
    sites: Mapping[str, str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    rounds: int = 3,
    local_epochs: int = 1,
    settings: Mapping[str, Any] | None = None,
) -> Rehearsal:
    """Trains a bundle by federated averaging, every hospital weighted by its training images.

    All hospitals begin with the weights of the first, drawn by the bundle's seed. Between hospitals there is nothing
    but ``ExchangeObject``: what NVIDIA FLARE would send over the network.

    Args:
        bundle: the bundle's folder.
        sites: the data set of each hospital, by a name that can name a folder.
        out: the folder for the averaged weights, ``model.safetensors``, and a folder of each hospital's own files.
        rounds: how many times weights are averaged.
        local_epochs: epochs of each hospital in a round.
        settings: settings of the bundle for all hospitals, among them ``variant`` and ``image_size``.

    Returns:
        The averaged weights and the hospitals.

    Raises:
        ValueError: there is no hospital, classes differ between them, or a setting is missing or not open.

    Example:
        >>> rehearse("bundles/medmamba_endo", {}, "out")
        Traceback (most recent call last):
        ValueError: expected one hospital or more, got none
    """
    if not sites:
        raise ValueError("expected one hospital or more, got none")
    root = Path(os.path.abspath(out))
    names: tuple[str, ...] = ()
    hospitals: dict[str, HospitalAlgo] = {}
    for site, dataset in sites.items():
        data, folder = os.fspath(dataset), str(root / "{site}")
        hospital = HospitalAlgo(
            os.path.abspath(bundle), data, names, rounds, local_epochs, folder, settings, send_weight_diff=False
        )
        with warnings.catch_warnings():
            # MONAI warns of bundles that come from a federation's server; this one is the user's own.
            warnings.filterwarnings("ignore", message="executing the bundle config")
            hospital.initialize({ExtraItems.CLIENT_NAME: site})
        hospitals[site], names = hospital, tuple(hospital.class_names)
    first = next(iter(hospitals.values()))
    weights = copy.deepcopy(get_state_dict(first.trainer.network))  # the client's own change while it trains
    for number in range(1, rounds + 1):
        sent = []
        for hospital in hospitals.values():
            hospital.evaluate(ExchangeObject(weights=weights))
            hospital.train(ExchangeObject(weights=weights))
            answer = hospital.get_weights()
            sent.append((answer.weights or {}, (answer.statistics or {})["images"]))
        weights = federated_average(sent)
        logger.info("round %d of %d: averaged %d hospitals", number, rounds, len(sent))
    for site, hospital in hospitals.items():
        figures = hospital.evaluate(ExchangeObject(weights=weights)).metrics
        logger.info("%s, validation: %s", site, ", ".join(f"{k} {v:.3f}" for k, v in figures.items()))
        hospital.finalize()
    shutil.copyfile(Path(first.folder) / "global.safetensors", root / "model.safetensors")
    steps = {site: hospital.trainer.state.iteration for site, hospital in hospitals.items()}
    return Rehearsal(root / "model.safetensors", hospitals, steps)
