"""The command line in a fork: run as a module, it is `nova-judge` with the arguments given."""

import sys

from nova_judge.cli import main


def reopen_streams() -> None:
    """Write and read what the descriptors are now, not what they were before the fork."""
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


if __name__ == "__main__":
    reopen_streams()
    sys.argv[0] = "nova-judge"
    main.main()
