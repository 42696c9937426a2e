"""The command `medmamba`."""


def main() -> int:
    """Runs the command."""
    return 0
