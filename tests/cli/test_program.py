import pytest

from monai_medmamba.cli import main
from monai_medmamba.cli.program import COMMANDS

NAMES = [command.__name__.rpartition(".")[2].replace("_", "-") for command in COMMANDS]


@pytest.mark.parametrize("words", [[], *([name] for name in NAMES)])
def test_help_teaches(words, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([*words, "--help"])
    assert f"usage: {' '.join(['medmamba', *words])}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["nonsense"], ["report"], ["report", "run", "--nonsense"]])
def test_wrong_usage_leaves_with_1(words, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(words)
    assert "usage: medmamba" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out[0].isdigit()
