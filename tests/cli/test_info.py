from monai_medmamba.cli import main


def test_names_every_backend(capsys):
    assert main(["info"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("mamba_ssm", "chunked", "reference", "torch"))
