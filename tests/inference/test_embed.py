import numpy as np
import pytest

from monai_medmamba.inference import Embedding, embed, find_pictures, load_classifier, write_embedding


def test_features_are_the_mean_of_the_last_map(weights, network, folder):
    images, _ = find_pictures([folder])
    found = embed(weights, images, device="cpu", batch_size=2)
    assert found.images == images
    assert found.failures == []
    prepare = load_classifier(weights, device="cpu").preprocessing
    for image, vector in zip(images, found.features, strict=True):
        last = network.forward_features(prepare.read(image)[None])[-1]
        assert vector == pytest.approx(last.mean((2, 3))[0].detach().numpy(), abs=1e-5)


def test_bad_files_are_passed_over(weights, folder):
    (folder / "b" / "0.png").write_text("<html>")
    images, _ = find_pictures([folder])
    found = embed(weights, images, device="cpu")
    assert [failure.image for failure in found.failures] == [str(folder / "b" / "0.png")]
    assert len(found.images) == len(found.features) == len(images) - 1


def test_written_and_read_back(tmp_path):
    features = np.arange(6, dtype=np.float32).reshape(2, 3)
    path = tmp_path / "deep" / "features.npz"
    write_embedding(path, Embedding(["x/größe/1.png", "x/b/2.png"], features, []))
    kept = np.load(path)  # allow_pickle stays False
    assert kept["folders"].tolist() == ["größe", "b"]
    assert kept["images"].tolist() == ["x/größe/1.png", "x/b/2.png"]
    assert np.array_equal(kept["features"], features)
    with pytest.raises(ValueError, match=r"ends in \.npz"):
        write_embedding(tmp_path / "features.csv", Embedding([], features[:0], []))
