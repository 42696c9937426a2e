import platform
import subprocess
import sys

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Resized
from PIL import Image

from monai_medmamba.data import CachedImages
from monai_medmamba.data.cached_images import WORTH
from monai_medmamba.data.reading_processes import can_read_in_processes
from monai_medmamba.transforms import LoadRGBd, QuantizeRGBd

COUNT = 7


class Reader:
    """Makes an image of a number, and notes the order."""

    def __init__(self, shape=(3, 4, 5)):
        self.shape, self.seen = shape, []

    def __call__(self, item):
        self.seen.append(item["image"])
        return {**item, "image": torch.full(self.shape, item["image"], dtype=torch.uint8)}


def items(count=COUNT):
    return [{"image": i, "label": i % 2} for i in range(count)]


@pytest.mark.parametrize("cache_num", [0, 1, 3, COUNT, 100])
@pytest.mark.parametrize("num_workers", [1, 3])
def test_a_batch_is_the_same_however_much_is_cached(cache_num, num_workers):
    images = CachedImages(items(), Reader(), cache_num, num_workers)
    assert len(images) == COUNT
    wanted = [6, 0, 3, 3, 5]
    batch = images.batch(wanted)
    assert type(batch["image"]) is MetaTensor
    assert batch["image"].dtype == torch.uint8
    assert batch["image"].shape == (5, 3, 4, 5)
    assert batch["image"][:, 0, 0, 0].tolist() == wanted
    assert batch["image"].meta["filename_or_obj"] == ["6", "0", "3", "3", "5"]
    assert batch["label"].tolist() == [0, 0, 1, 1, 1]
    assert batch["label"].dtype == torch.int64
    for index in wanted:
        item = images[index]
        assert (item["image"] == index).all()
        assert (item["label"], item["image"].meta["filename_or_obj"]) == (index % 2, str(index))


def test_what_is_cached_is_read_once_and_the_rest_each_time():
    reader = Reader()
    images = CachedImages(items(), reader, 3)
    assert reader.seen == [0, 1, 2]
    images.batch([0, 1, 2, 5, 5])
    images.batch([5, 2])
    assert reader.seen == [0, 1, 2, 5, 5]


def test_a_batch_shares_no_memory_with_the_cache():
    images = CachedImages(items(), Reader(), COUNT)
    images.batch([1, 2])["image"].as_tensor().zero_()
    images[3]["image"].as_tensor().zero_()
    assert images.batch([1, 2, 3])["image"][:, 0, 0, 0].tolist() == [1, 2, 3]


def test_without_labels():
    images = CachedImages([{"image": 1}], Reader())
    assert set(images.batch([0])) == {"image"}


@pytest.mark.parametrize("cache_num", [0, 2, COUNT])
def test_an_image_of_another_shape_is_named(cache_num):
    def uneven(item):
        return {"image": torch.zeros(3, 4, 4 + (item["image"] == "odd.png"))}

    data = [{"image": f"{i}.png"} for i in range(COUNT - 1)] + [{"image": "odd.png"}]
    with pytest.raises(ValueError, match=r"odd\.png: expected \(3, 4, 4\) of torch\.float32.*\(3, 4, 5\)"):
        CachedImages(data, uneven, cache_num).batch([0, COUNT - 1])


@pytest.mark.parametrize("cache_num", [0, 4])
def test_a_broken_file_is_named(tmp_path, cache_num):
    for i in range(4):
        Image.fromarray(np.full((20, 30, 3), i, dtype=np.uint8)).save(tmp_path / f"{i}.png")
    (tmp_path / "2.png").write_text("<html>")
    data = [{"image": str(tmp_path / f"{i}.png")} for i in range(4)]
    read = Compose([LoadRGBd(keys="image"), Resized("image", (8, 8)), QuantizeRGBd(keys="image")])
    with pytest.raises(RuntimeError) as caught:  # MONAI's own words, with ours as the cause
        CachedImages(data, read, cache_num, num_workers=2).batch([0, 1, 2, 3])
    assert "2.png" in str(caught.value.__cause__)


def test_the_caller_keeps_its_threads():
    code = (
        "import torch; from monai_medmamba.data import CachedImages;"
        "CachedImages([{'image': 0}] * 4, lambda item: {'image': torch.ones(3, 4, 4)}, 4, num_workers=2);"
        "print(torch.get_num_threads())"
    )
    environment = {"OMP_NUM_THREADS": "2", "PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["2"]


@pytest.mark.gpu
def test_batches_for_a_gpu_are_pinned():
    images = CachedImages(items(), Reader(), 3)
    for wanted in ([0, 1], [0, 6], [5, 6]):
        batch = images.batch(wanted, pin_memory=True)
        assert batch["image"].as_tensor().is_pinned()
        assert batch["label"].is_pinned()
        assert batch["image"].as_tensor().to("cuda", non_blocking=True)[:, 0, 0, 0].tolist() == wanted


FORKS = pytest.mark.skipif(not can_read_in_processes(), reason="needs a system that forks")
MANY = WORTH + 5


@FORKS
def test_processes_read_what_threads_read():
    reader = Reader()
    alone, together = (CachedImages(items(MANY), reader, MANY - 2, count) for count in (1, 3))
    assert reader.seen == [*range(MANY - 2), 0]  # the others were seen elsewhere
    everything = list(range(MANY))
    assert torch.equal(together.batch(everything)["image"], alone.batch(everything)["image"])


@FORKS
def test_processes_leave_the_error_whole():
    def broken(item):
        if item["image"] == MANY - 1:
            raise OSError("the disk is gone")
        return Reader()(item)

    with pytest.raises(OSError, match="the disk is gone"):
        CachedImages(items(MANY), broken, MANY, num_workers=2)


@FORKS
def test_images_that_differ_are_refused_by_processes_too():
    def uneven(item):
        return {**item, "image": torch.zeros(3, 4, 5 + (item["image"] == 40))}

    with pytest.raises(ValueError, match=r"40: expected .*3, 4, 5.* got .*3, 4, 6"):
        CachedImages(items(MANY), uneven, MANY, num_workers=2)


@pytest.mark.gpu
@FORKS
def test_processes_read_after_a_gpu_was_used():
    torch.ones(3, device="cuda").sum().item()
    images = CachedImages(items(MANY), Reader(), MANY, num_workers=4)
    assert images.batch([0, MANY - 1])["image"].as_tensor().to("cuda")[:, 0, 0, 0].tolist() == [0, MANY - 1]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="is about the malloc of glibc")
@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=FORKS)])
def test_memory_is_kept_from_one_image_to_the_next(workers, tmp_path):
    """Counts the pages that the system hands out: 3000 an image if each array is given back."""
    Image.fromarray(np.zeros((256, 256, 3), dtype=np.uint8)).save(tmp_path / "0.png")
    code = f"""
import resource
from monai.transforms import Compose, Resized
from monai_medmamba.data import CachedImages
from monai_medmamba.transforms import LoadRGBd
def pages():
    return sum(resource.getrusage(who).ru_minflt for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
data = [{{"image": {str(tmp_path / "0.png")!r}}}] * 300
read = Compose([LoadRGBd("image"), Resized("image", (224, 224), anti_aliasing=True)])
before = pages()
CachedImages(data, read, 300, {workers})
print((pages() - before) / 300)
"""
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert float(done.stdout) < 1000
