"""Section ``feeding``: a training epoch of the bundle, end to end, beside the bare training step.

The bundle runs as its users run it, through MONAI's ``ConfigWorkflow``, on JPEG files made from the phantoms. An
epoch's time holds the loading, the augmentation, every handler and the checkpoint; validation is told apart. Then the
same network and optimiser take steps on one batch that lies on the device.
"""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from statistics import median

import numpy as np
import torch
from cases import BF16
from ignite.engine import Events
from monai.bundle import ConfigWorkflow
from PIL import Image
from suite import Suite
from timing import milliseconds, release
from tqdm import tqdm

from monai_medmamba.data.phantoms import FINDINGS, draw_phantom

CONFIG = Path(__file__).resolve().parent.parent / "bundles" / "medmamba_endo" / "configs" / "train.json"
FILE_SIDE = 256  # of a file, in pixels: resizing is part of the work
DRAWN = 4  # phantoms a class; drawing thousands would take longer than the measurement
THREADS = 8  # that write the files
DEFAULTS = {"benchmark": False, "allow_tf32": True}  # PyTorch's own for cuDNN, as the bundle leaves them


def write_images(root: Path, count: int) -> None:
    """Write split folders with ``count`` training images, an eighth of that for validation and 8 for the test.

    Each is one of a few phantoms, shifted and lit in its own way, so that no two files show the same.
    """
    drawn = [[draw_phantom(name, i, size=FILE_SIDE) for i in range(DRAWN)] for name in FINDINGS]
    names = list(FINDINGS)
    counts = {"train": count, "val": max(count // 8, len(names)), "test": len(names)}
    jobs = [(s, split, i) for s, (split, n) in enumerate(counts.items()) for i in range(n)]

    def write(job: tuple[int, str, int]) -> None:
        number, split, i = job
        rng = np.random.default_rng([number, i])
        picture = drawn[i % len(names)][rng.integers(DRAWN)]
        picture = np.roll(picture, rng.integers(FILE_SIDE, size=2), axis=(0, 1)) * rng.uniform(0.7, 1.0)
        path = root / split / names[i % len(names)] / f"{i:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture.astype(np.uint8)).save(path, quality=90)

    with ThreadPoolExecutor(THREADS) as pool:
        list(tqdm(pool.map(write, jobs), total=len(jobs), desc="writing images", dynamic_ncols=True))


def seconds(run: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    run()
    return round(time.perf_counter() - began, 2)


class Clock:
    """Takes the time of the epochs of a trainer, and of what happens in them; attach it last."""

    def __init__(self, trainer: object, evaluator: object) -> None:
        self.epochs: list[dict[str, float]] = []
        self.spent = dict.fromkeys(("waiting", "step", "validation", "iterations"), 0.0)
        self.marks: dict[str, float] = {}
        self.begin("epoch")(trainer)
        for engine, name, started, ended in (
            (trainer, "waiting", Events.GET_BATCH_STARTED, Events.GET_BATCH_COMPLETED),
            (trainer, "step", Events.ITERATION_STARTED, Events.ITERATION_COMPLETED),
            (evaluator, "validation", Events.STARTED, Events.COMPLETED),
        ):
            engine.add_event_handler(started, self.begin(name))
            engine.add_event_handler(ended, self.end(name))
        trainer.add_event_handler(Events.STARTED, self.begin("epoch"))
        trainer.add_event_handler(Events.EPOCH_COMPLETED, self.close)

    def begin(self, name: str) -> Callable[[object], None]:
        """Return a handler that notes when something began."""
        return lambda _engine: self.marks.update({name: time.perf_counter()})

    def end(self, name: str) -> Callable[[object], None]:
        """Return a handler that adds up how long it took."""

        def add(_engine: object) -> None:
            self.spent[name] += time.perf_counter() - self.marks[name]
            self.spent["iterations"] += name == "step"

        return add

    def close(self, engine: object) -> None:
        """Note an epoch, from the end of the one before to its own."""
        now = time.perf_counter()
        self.epochs.append({**self.spent, "seconds": now - self.marks["epoch"] - self.spent["validation"]})
        self.spent = dict.fromkeys(self.spent, 0.0)
        self.begin("epoch")(engine)

    def figures(self, batch: int) -> dict:
        """Return the figures of the epochs after the first."""
        rates = [round(batch * e["iterations"] / e["seconds"], 1) for e in self.epochs]
        later = self.epochs[1:]

        def middle(name: str, per: str | None = None, factor: float = 1.0) -> float:
            return round(factor * median(e[name] / (e[per] if per else 1) for e in later), 3)

        rest = [e["seconds"] - e["waiting"] - e["step"] for e in later]
        return {
            "images_per_second": median(rates[1:]),
            "epochs": dict(enumerate(rates, start=1)),
            "waiting_ms": middle("waiting", "iterations", 1e3),
            "step_ms": middle("step", "iterations", 1e3),
            "rest_seconds": round(median(rest), 3),  # checkpoint, history and what lies between iterations
            "validation_seconds": middle("validation"),
        }


class Bundle:
    """The bundle's training on these files, ready to run."""

    def __init__(self, suite: Suite, folder: Path) -> None:
        scale = suite.scale
        self.workflow = ConfigWorkflow(
            config_file=str(CONFIG),
            workflow_type="train",
            logging_file=False,
            dataset_dir=str(folder / "images"),
            output_dir=str(folder / "output"),
            ckpt_dir=str(folder / "models"),
            device=f"$torch.device('{suite.device.type}')",
            variant=scale.feeding_variant,
            image_size=scale.feeding_size,
            batch_size=scale.batch,
            epochs=scale.feeding_epochs,
            backend=suite.backends[0],
        )
        check, fill = self.workflow.initialize, partial(self.part, "train#dataset")
        self.seconds = {"check_seconds": seconds(check), "cache_seconds": seconds(fill)}
        self.clock = Clock(self.part("train#trainer"), self.part("validate#evaluator"))

    def part(self, name: str) -> object:
        """Return a part of the configuration, made once."""
        return self.workflow.parser.get_parsed_content(name)

    def run(self, batch: int) -> dict:
        """Train, and return what that took."""
        self.workflow.run()
        self.workflow.finalize()
        return {**self.clock.figures(batch), **self.seconds, "threads": self.part("num_workers")}

    def bare_step(self, device: torch.device) -> Callable[[], object]:
        """Return a call that trains the bundle's network on one batch of its loader, on the device already."""
        network, optimizer, loss = (self.part(name) for name in ("train#network", "optimizer", "loss"))
        image, label = self.part("train#prepare_batch")(next(iter(self.part("train#dataloader"))), device)
        network.train()

        def step() -> torch.Tensor:
            optimizer.zero_grad()
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.part("amp")):
                value = loss(network(image), label)
            value.backward()
            optimizer.step()
            return value

        return step


def measure(suite: Suite) -> None:
    """Measure the section."""
    scale, cudnn = suite.scale, torch.backends.cudnn
    before = {name: getattr(cudnn, name) for name in DEFAULTS}, torch.backends.cuda.matmul.allow_tf32
    names = {"what": "feeding", "code": "ours", "network": f"medmamba_{scale.feeding_variant}"}
    names |= {"backend": suite.backends[0], "batch": scale.batch, "size": scale.feeding_size}
    names |= BF16.fields if suite.device.type == "cuda" else {"dtype": "float32", "tf32": False, "autocast": False}
    with tempfile.TemporaryDirectory() as folder:
        try:
            for name, value in DEFAULTS.items():
                setattr(cudnn, name, value)
            torch.backends.cuda.matmul.allow_tf32 = False

            @cache  # and only in a row, so that nothing is prepared once the run's time is used up
            def bundle() -> Bundle:
                write_images(Path(folder) / "images", scale.feeding_images)
                return Bundle(suite, Path(folder))

            what = names | {"of": "bundle", "images": scale.feeding_images}
            suite.record.row(what, lambda: bundle().run(scale.batch))
            for benchmark in (False, True):
                cudnn.benchmark = benchmark
                suite.record.row(names | {"of": "step", "cudnn_benchmark": benchmark}, lambda: bare(suite, bundle()))
        finally:
            for name, value in before[0].items():
                setattr(cudnn, name, value)
            torch.backends.cuda.matmul.allow_tf32 = before[1]
            release()


def bare(suite: Suite, bundle: Bundle) -> dict:
    """Return the time of a bare step and the images it takes in a second."""
    took = milliseconds(bundle.bare_step(suite.device), suite.device, repeats=suite.scale.repeats, seconds=2)
    return {"ms": took, "images_per_second": round(1e3 * suite.scale.batch / took, 1)}
