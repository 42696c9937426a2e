"""k trainings of a bundle, each judged by a fold it did not learn from, and their ensemble on the test images."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..files import atomic_path
from .fold_figures import fold_figures, pool_folds
from .overlay import find_overlay

__all__ = ["BundleCrossValidation", "Step"]

logger = logging.getLogger(__name__)
OWN = ("config_file", "bundle_root", "output_dir", "ckpt_dir", "fold", "folds", "resume")


@dataclass(frozen=True)
class Step:
    """One command of a cross-validation.

    Args:
        name: what it does, for people.
        words: the command line.
        output_dir: the folder of its results.
        kind: ``"training"`` or ``"evaluating"``.

    Example:
        >>> Step("fold 0, training", ("python",), Path("cv/fold0"), "training").done
        False
    """

    name: str
    words: tuple[str, ...]
    output_dir: Path
    kind: str

    @property
    def done(self) -> bool:
        """Whether an earlier call finished it."""
        if self.kind == "evaluating":
            return (self.output_dir / "evaluation" / "evidence.json").is_file()
        record = self.output_dir / "run.json"
        return record.is_file() and json.loads(record.read_text(encoding="utf-8")).get("seconds") is not None


@dataclass(frozen=True)
class BundleCrossValidation:
    """Trains and evaluates a bundle once for each fold, then the mean of their networks.

    Each command is that of the bundle with its overlays ``fold`` and ``resume``, so a fold can be repeated by hand. The
    test images are the same for all; training and validation images are parted anew for each fold.

    Args:
        bundle: the folder, with ``configs/train.json`` and ``configs/evaluate.json``.
        out: where checkpoints, results and ``cross_validation.json`` go; by folds, and ``ensemble``.
        folds: how many, 2 or more.
        overlays: names or paths of more overlays for every training and evaluation.
        settings: of the bundle, as ``--epochs 20`` would set them.

    Example:
        >>> found = BundleCrossValidation("bundles/medmamba_endo", "cv", folds=2)
        >>> [step.name for step in found.steps()][:2]
        ['fold 0 of 2, training', 'fold 0 of 2, evaluating']
    """

    bundle: str | os.PathLike[str]
    out: str | os.PathLike[str]
    folds: int
    overlays: Sequence[str] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    def steps(self) -> Iterator[Step]:
        """Yields every command, in order.

        Raises:
            ValueError: there is no overlay of a name.
        """
        for k in range(self.folds):
            name, folder, own = f"fold {k} of {self.folds}", f"fold{k}", {"fold": str(k), "folds": str(self.folds)}
            yield self._step("training", name, folder, ["resume", "fold"], own)
            yield self._step("evaluating", name, folder, ["fold"], own)
        yield self._step("evaluating", "ensemble", "ensemble", [], {})

    def run(self) -> dict[str, Any]:
        """Does every step that is not done yet, and writes ``cross_validation.json`` and ``cross_validation.csv``.

        Returns:
            The figures of each fold, of all folds pooled, and of the ensemble: see :func:`fold_figures`.

        Raises:
            FileNotFoundError: the folder holds no bundle.
            ValueError: fewer than 2 folds, no such overlay, a setting that the folds decide, or results in the folder
                that were asked for with other settings.
            RuntimeError: a step failed; what it wrote on the screen says why.
        """
        if self.folds < 2:
            raise ValueError(f"expected 2 folds or more, got {self.folds}")
        own = [name for name in OWN if name in self.settings]
        if own:
            raise ValueError(f"--{own[0]}: the folds decide that; --out says where everything goes")
        configs = Path(self.bundle) / "configs"
        for name in ("train.json", "evaluate.json"):
            if not (configs / name).is_file():
                raise FileNotFoundError(f"{configs / name} is missing: name the folder of a bundle")
        steps = list(self.steps())
        self._claim()
        for place, step in enumerate(steps):
            if step.done:
                logger.info("%s: done before", step.name)
                continue
            if step.output_dir.name == "ensemble":
                pool_folds(self.out, self.folds)
            logger.info("%s (step %d of %d)", step.name, place + 1, len(steps))
            status = subprocess.run(step.words, check=False).returncode
            if status or not step.done:
                raise RuntimeError(
                    f"{step.name}: failed with exit status {status}; what it said is above. Mend it and call again: "
                    "finished steps are kept, and a training goes on after its last epoch"
                )
        return fold_figures(self.out, self.folds)

    def _step(self, kind: str, name: str, folder: str, overlays: Sequence[str], own: Mapping[str, str]) -> Step:
        configs, out = Path(self.bundle) / "configs", Path(self.out)
        whole = folder == "ensemble"
        files = [str(configs / "train.json"), *map(_overlay, (*self.overlays, *overlays))]
        files += [str(configs / "evaluate.json")] if kind == "evaluating" else []
        files += [_overlay("ensemble")] if whole else []
        told = {
            "config_file": str(files),
            "bundle_root": str(self.bundle),
            **self.settings,
            "output_dir": str(out / folder),
            "ckpt_dir": str(out / "models" if whole else out / "models" / folder),
            **own,
        }
        words = [f"--{key}={value}" for key, value in told.items()]
        command = (sys.executable, "-m", "monai.bundle", "run", kind, *words)
        return Step(f"{name}, {kind}", command, out / folder, kind)

    def _claim(self) -> None:
        """Writes down what is asked for; raises ValueError where something else was asked for before."""
        path = Path(self.out) / "asked.json"
        asked = {
            "bundle": os.fspath(Path(self.bundle).resolve()),
            "folds": self.folds,
            "overlays": list(self.overlays),
            "settings": dict(self.settings),
        }
        if path.is_file():
            before = json.loads(path.read_text(encoding="utf-8"))
            differ = [f"{key} {before.get(key)}, now {asked[key]}" for key in asked if before.get(key) != asked[key]]
            if differ:
                raise ValueError(
                    f"{self.out} was begun with other settings: {'; '.join(differ)}. Name another folder with --out, "
                    "or ask for the same"
                )
            return
        with atomic_path(path) as draft:
            draft.write_text(json.dumps(asked, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _overlay(name: str) -> str:
    return name if name.endswith(".json") else str(find_overlay(name).path)
