from monai_medmamba.cli import main


def test_a_folder_without_a_run(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 1
    assert "metrics.json" in capsys.readouterr().err
