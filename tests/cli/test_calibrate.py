import numpy as np

from monai_medmamba.cli import main
from monai_medmamba.metrics import write_predictions
from monai_medmamba.networks import MedMamba, load_weights, save_weights


def test_weights_get_a_temperature(tmp_path, capsys):
    weights, table = tmp_path / "w.safetensors", tmp_path / "validation.csv"
    save_weights(weights, MedMamba(num_classes=2, depths=(1,), dims=(8,), d_state=2), ["a", "b"], {"image_size": 32})
    bold = np.float32([[0.99, 0.01]] * 8 + [[0.01, 0.99]] * 2)
    write_predictions(table, [f"{i}.png" for i in range(10)], [0] * 10, bold, ["a", "b"])
    assert main(["calibrate", str(weights), str(table)]) == 0
    assert "temperature 3.315; log loss on 10 validation images" in capsys.readouterr().out
    assert round(load_weights(weights)[1]["calibration"]["temperature"], 3) == 3.315


def test_missing_files_are_named(tmp_path, capsys):
    assert main(["calibrate", str(tmp_path / "none.pt"), "validation.csv"]) == 1
    assert "none.pt" in capsys.readouterr().err
