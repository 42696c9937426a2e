from monai_medmamba.cli import main


def test_prints_the_folder(tmp_path, capsys):
    assert main(["label-app", "--out", str(tmp_path / "app")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'app'}\n"
    assert (tmp_path / "app" / "main.py").is_file()


def test_a_folder_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["label-app", "--out", str(tmp_path / "file")]) == 1
    assert "file" in capsys.readouterr().err
