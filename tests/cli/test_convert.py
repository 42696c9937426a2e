import pytest
import torch

from monai_medmamba.cli import main
from monai_medmamba.inference import load_classifier
from monai_medmamba.networks import load_weights, medmamba_nano, to_published


@pytest.fixture
def published(tmp_path):
    network = medmamba_nano(num_classes=3).eval()
    torch.save(to_published(network.state_dict()), tmp_path / "published.pth")
    return network


def test_convert_and_back(published, tmp_path, capsys):
    names = ["--class-names", "a", "b", "c"]
    assert main(["convert", str(tmp_path / "published.pth"), str(tmp_path / "ours.safetensors"), *names]) == 0
    assert "(2, 2, 4, 2)" in capsys.readouterr().out
    network, description = load_weights(tmp_path / "ours.safetensors")
    x = torch.randn(1, 3, 32, 32)
    assert torch.equal(network(x), published(x))
    assert description["class_names"] == ["a", "b", "c"]
    assert main(["convert", str(tmp_path / "ours.safetensors"), str(tmp_path / "back.pth")]) == 0
    back = torch.load(tmp_path / "back.pth", weights_only=True)
    assert all(torch.equal(back[name], tensor) for name, tensor in to_published(published.state_dict()).items())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.pth", "out.safetensors"], "missing.pth"),
        (["a.pth", "b.pth"], "expected a .safetensors file on one side"),
    ],
)
def test_a_convert_that_fails_says_why(arguments, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(["convert", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_the_images_went_through_is_kept(published, tmp_path, capsys):
    words = ["convert", str(tmp_path / "published.pth"), str(tmp_path / "ours.safetensors"), "--image-size", "64"]
    assert main([*words, "--mean", "0.5", "0.4", "0.3"]) == 1
    assert "preprocessing lacks std" in capsys.readouterr().err
    assert not (tmp_path / "ours.safetensors").exists()
    assert main([*words, "--mean", "0.5", "0.4", "0.3", "--std", "1", "1", "0.5"]) == 0
    _network, description = load_weights(tmp_path / "ours.safetensors")
    assert description["preprocessing"] == {"image_size": 64, "mean": [0.5, 0.4, 0.3], "std": [1, 1, 0.5]}
    assert load_classifier(tmp_path / "ours.safetensors").class_names == ("0", "1", "2")


def test_inflate_for_volumes(published, tmp_path, capsys):
    source, ours, volumes = (str(tmp_path / name) for name in ("published.pth", "a.safetensors", "v.safetensors"))
    assert main(["convert", source, ours, "--class-names", "a", "b", "c"]) == 0
    words = [
        "--inflate",
        "--channels",
        "1",
        "--slice-axis",
        "0",
        "--slice-patch",
        "1",
        "--slice-strides",
        "1",
        "1",
        "1",
    ]
    for first, names in ((source, ["0", "1", "2"]), (ours, ["a", "b", "c"])):
        assert main(["convert", first, volumes, *words]) == 0
        network, description = load_weights(volumes)
        assert (description["class_names"], description["preprocessing"]) == (names, {})
        assert network.feature_strides[-1] == (1, 32, 32)
        x = torch.randn(1, 1, 32, 40)
        torch.testing.assert_close(network(x[:, :, None]), published(x.expand(-1, 3, -1, -1)), atol=1e-5, rtol=1e-4)
    capsys.readouterr()
    assert main(["convert", volumes, str(tmp_path / "w.safetensors"), "--inflate"]) == 1
    assert "volumes already" in capsys.readouterr().err
    assert main(["convert", ours, str(tmp_path / "w.safetensors"), "--inflate", "--slice-strides", "1"]) == 1
    assert "expected 3 numbers, one for each merging, got 1" in capsys.readouterr().err
    assert main(["convert", ours, str(tmp_path / "w.pth"), "--inflate"]) == 1
    assert "w.pth: expected a file ending in .safetensors" in capsys.readouterr().err
    assert not list(tmp_path.glob("w.*"))
