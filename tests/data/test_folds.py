from collections import Counter

import pytest

from monai_medmamba.data import Datalist, DatasetError, take_fold


@pytest.fixture
def data(paint, tmp_path):
    """Ten images of a class with two of each patient, five of another without; two files of one content."""
    first = paint(*(f"a/{i}.png" for i in range(10)))
    second = paint(*(f"b/{i}.png" for i in range(5))) + paint("b/copy1.png", "b/copy2.png", content=7)
    items = [{"image": str(path), "label": 0, "patient": f"p{i // 2}"} for i, path in enumerate(first)]
    items += [{"image": str(path), "label": 1} for path in second]
    test = [{"image": str(paint("a/test.png")[0]), "label": 0}]
    return Datalist(("a", "b"), items[3:], items[:3], test, str(tmp_path))


def test_every_image_is_judged_once_and_no_patient_is_parted(data):
    folds = [take_fold(data, fold, 3) for fold in range(3)]
    pool = sorted(item["image"] for item in data.training + data.validation)
    assert sorted(item["image"] for fold in folds for item in fold.validation) == pool
    for fold in folds:
        assert sorted(item["image"] for item in fold.training + fold.validation) == pool
        assert fold.test == data.test
        for key in ("image", "patient"):
            learnt, judged = ({item[key] for item in part if key in item} for part in (fold.training, fold.validation))
            assert not learnt & judged
        assert sum("copy" in item["image"] for item in fold.validation) in (0, 2)
        assert set(Counter(item["label"] for item in fold.validation)) == {0, 1}


def test_the_seed_chooses(data):
    def judged(seed):
        return {item["image"] for item in take_fold(data, 0, 3, seed).validation}

    assert judged(0) == judged(0)
    assert len({frozenset(judged(seed)) for seed in range(5)}) > 1


def test_invalid_arguments(data):
    for fold, folds in ((3, 3), (-1, 3), (0, 1)):
        with pytest.raises(ValueError, match="expected 2 folds or more"):
            take_fold(data, fold, folds)
    with pytest.raises(DatasetError, match="Lower the number of folds"):
        take_fold(data, 0, 7)
