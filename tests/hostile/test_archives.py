"""No judge archive keeps its reader long, fills memory, or writes outside its folder."""

import random
from pathlib import Path

import pytest

from nova_judge.errors import JudgeJobError
from nova_judge.runs.archive import read_archive
from tests.hostile.archives import RESULTS, attacks, mutated
from tests.hostile.bounds import cost, rounds, within

ATTACKS = dict(attacks())
READABLE = {
    "pax size 1e9": 1,  # tarfile reads a size that is no number as 0
    "global pax size 1e9": 1,
    "controls in a name": 1,
    "the name /eval_results/results_1.json": 0,
    "the name a/../../eval_results/results_1.json": 0,
    "zeros alone": 0,
}
"""The attacks that are read all the same, and how many results are found in them."""
SECONDS = 2.0
MEGABYTES = 200.0
FUZZED = rounds(300, 3_000)


def results_in(content: bytes, folder: Path) -> int | None:
    """How many results are read; None where the archive is refused, as ours and not otherwise."""
    folder.mkdir()
    archive = folder / "output.tar.gz"
    archive.write_bytes(content)
    try:
        with within(SECONDS):
            files = read_archive(archive, folder / "out")
    except JudgeJobError as error:
        assert str(error).startswith("output.tar.gz: ")
        return None
    written = {path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()}
    details = (one.path for one in files.details)
    read = (*files.results, *details, *files.inference_output)
    assert written == {Path("output.tar.gz"), *(path.relative_to(folder) for path in read)}
    return len(files.results)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_or_harmless(attack, tmp_path):
    assert results_in(ATTACKS[attack](), tmp_path / "work") == READABLE.get(attack)
    assert {path.name for path in tmp_path.iterdir()} == {"work"}


def test_no_attack_fills_memory(tmp_path):
    for number, attack in enumerate(ATTACKS.values()):
        (tmp_path / f"{number}.tar.gz").write_bytes(attack())
    spent = cost(
        "from nova_judge.runs.archive import read_archive\n"
        "from nova_judge.errors import JudgeJobError",
        f"""
        said = 0
        for archive in sorted(Path({str(tmp_path)!r}).glob("*.tar.gz")):
            try:
                read_archive(archive, Path(f"{{archive}}.out"))
            except JudgeJobError:
                said += 1
        """,
    )
    assert spent.said == len(ATTACKS) - len(READABLE)
    assert spent.megabytes < MEGABYTES


def test_mutated_archives_are_read_or_refused(tmp_path):
    chance = random.Random(20)  # noqa: S311
    found = [results_in(mutated(chance), tmp_path / str(number)) for number in range(FUZZED)]
    assert found.count(None) > FUZZED // 4
    assert found.count(1) > FUZZED // 20


def test_an_archive_of_a_job_is_no_attack(tmp_path):
    whole = mutated(_Unmoved())
    assert results_in(whole, tmp_path / "work") == 1
    assert (tmp_path / "work/out/results-0.json").read_bytes() == b'{"results": {}}'
    assert RESULTS.endswith("results_1.json")


class _Unmoved(random.Random):
    """Chance that changes nothing."""

    def randint(self, *_: int) -> int:
        return 0

    def random(self) -> float:
        return 1.0
