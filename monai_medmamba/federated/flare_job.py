"""A job for NVIDIA FLARE: which component does what, and with which settings. It carries no data and no code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..files import atomic_path
from ..networks import create_medmamba

__all__ = ["write_flare_job"]


def write_flare_job(
    bundle: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    variant: str,
    class_names: Sequence[str] = (),
    hospitals: int = 2,
    rounds: int = 3,
    local_epochs: int = 1,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Writes a folder that FLARE takes as a job, for its simulator or a real federation.

    The server runs FLARE's scatter and gather with its averaging, which counts each hospital by its steps, and at the
    end lets every hospital judge and keep the averaged network. A hospital runs :class:`HospitalAlgo` under the
    executor of the package ``monai-nvflare``, on its own copy of the bundle and its own data, which two variables of
    its machine name: ``MEDMAMBA_BUNDLE`` and ``MEDMAMBA_SITE_DATA``, in which ``{site}`` stands for the client's name.

    Args:
        bundle: the bundle that the federation trains.
        out: the job's folder, whose name is the job's.
        variant: the size of the network.
        class_names: the classes that every hospital must have, in order; empty takes those in the bundle's metadata.
        hospitals: how many answers the server waits for in each round.
        rounds: how many times weights are averaged.
        local_epochs: epochs of each hospital in a round.
        settings: further settings of the bundle for all hospitals, ``image_size`` among them.

    Returns:
        The folder.

    Raises:
        FileNotFoundError: there is no such bundle.
        ValueError: the bundle's metadata name no classes, or a number is below 1.

    Example:
        >>> write_flare_job("no/bundle", "job", variant="nano")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        FileNotFoundError: no ...configs/metadata.json: name the folder of a bundle
    """
    if min(hospitals, rounds, local_epochs) < 1:
        raise ValueError(f"expected 1 or more of each, got {hospitals=}, {rounds=}, {local_epochs=}")
    root, names = Path(out), list(class_names) or _classes_of(Path(bundle))
    train = _read(Path(bundle), "train")
    built = create_medmamba(variant, train["spatial_dims"], train["in_channels"], num_classes=len(names))
    app = f"{root.name}_app"
    files = {
        "meta.json": {
            "name": root.name,
            "resource_spec": {},
            "deploy_map": {app: ["@ALL"]},
            "min_clients": hospitals,
        },
        f"{app}/config/config_fed_server.json": _server(built.settings, hospitals, rounds),
        f"{app}/config/config_fed_client.json": _client(
            names, rounds, local_epochs, {**(settings or {}), "variant": variant}
        ),
    }
    for name, content in files.items():
        with atomic_path(root / name) as temporary:
            temporary.write_text(json.dumps(content, indent=4, ensure_ascii=False) + "\n", encoding="utf-8")
    return root


def _server(network: Mapping[str, Any], hospitals: int, rounds: int) -> dict[str, Any]:
    common = "nvflare.app_common"
    weights = {"persistor_id": "persistor", "shareable_generator_id": "generator", "aggregator_id": "aggregator"}
    return {
        "format_version": 2,
        "components": [
            {
                "id": "persistor",
                "path": "nvflare.app_opt.pt.file_model_persistor.PTFileModelPersistor",
                "args": {"model": {"path": "monai_medmamba.networks.MedMamba", "args": dict(network)}},
            },
            {
                "id": "generator",
                "path": f"{common}.shareablegenerators.full_model_shareable_generator.FullModelShareableGenerator",
                "args": {},
            },
            {
                "id": "aggregator",
                "path": f"{common}.aggregators.intime_accumulate_model_aggregator.InTimeAccumulateWeightedAggregator",
                "args": {"expected_data_kind": "WEIGHTS"},
            },
            {
                "id": "locator",
                "path": "nvflare.app_opt.pt.file_model_locator.PTFileModelLocator",
                "args": {"pt_persistor_id": "persistor"},
            },
            {
                "id": "figures",
                "path": f"{common}.widgets.validation_json_generator.ValidationJsonGenerator",
                "args": {},
            },
        ],
        "workflows": [
            {
                "id": "training",
                "path": f"{common}.workflows.scatter_and_gather.ScatterAndGather",
                "args": {"min_clients": hospitals, "num_rounds": rounds, **weights},
            },
            {
                "id": "judging",
                "path": f"{common}.workflows.global_model_eval.GlobalModelEval",
                "args": {"model_locator_id": "locator"},
            },
        ],
    }


def _client(class_names: list[str], rounds: int, local_epochs: int, settings: dict[str, Any]) -> dict[str, Any]:
    hospital = {
        "bundle_root": "$MEDMAMBA_BUNDLE",
        "dataset_dir": "$MEDMAMBA_SITE_DATA",
        "class_names": class_names,
        "rounds": rounds,
        "local_epochs": local_epochs,
        "settings": settings,
    }
    return {
        "format_version": 2,
        "executors": [
            {
                "tasks": ["train", "validate"],
                "executor": {
                    "path": "monai_nvflare.client_algo_executor.ClientAlgoExecutor",
                    "args": {"client_algo_id": "hospital", "key_metric": "val_auc"},
                },
            }
        ],
        "components": [{"id": "hospital", "path": "monai_medmamba.federated.HospitalAlgo", "args": hospital}],
    }


def _classes_of(bundle: Path) -> list[str]:
    """Returns the classes that a bundle was planned for."""
    try:
        channels = _read(bundle, "metadata")["network_data_format"]["outputs"]["pred"]["channel_def"]
        return [channels[number] for number in sorted(channels, key=int)]
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(f"{bundle}: its metadata name no classes ({error}); give class_names") from error


def _read(bundle: Path, name: str) -> dict[str, Any]:
    path = bundle / "configs" / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"no {path}: name the folder of a bundle")
    return json.loads(path.read_text(encoding="utf-8"))
