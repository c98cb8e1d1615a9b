import gzip
import io
import tarfile
import tracemalloc

import pytest

from nova_judge.errors import JudgeJobError
from nova_judge.runs.archive import ArchiveLimits, read_archive

RESULTS = "my-run/eval_results/results_2026-01-01.json"
DETAILS = (
    "my-run/eval_results/details/model/2026/details_custom|rubric_llm_judge_judge|0_2026.parquet"
)


def archive_of(path, *members, mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for member, content in members:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def special(name, kind, target="/etc/passwd"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_the_named_members_land_under_our_names(tmp_path):
    archive = archive_of(
        tmp_path / "output.tar.gz",
        (RESULTS, b"{}"),
        (DETAILS, b"PAR1"),
        ("my-run/eval_results/inference_output.jsonl", b"{}\n"),
        ("my-run/tensorboard_results/eval/events.out.tfevents.1", b"x" * 5000),
    )
    files = read_archive(archive, tmp_path / "out")
    assert files.only_results().read_bytes() == b"{}"
    assert files.only_details().read_bytes() == b"PAR1"
    assert files.inference_output[0].name == "inference-0.jsonl"
    assert len(files.members) == 4
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"results-0.json", "details-0.parquet", "inference-0.jsonl"}


@pytest.mark.parametrize("folder", ["run/eval-result", "./run/eval_results", "a/b/eval-results"])
def test_each_spelling_of_the_folder_is_read(tmp_path, folder):
    archive = archive_of(tmp_path / "o.tar.gz", (f"{folder}/results_1.json", b"{}"))
    assert len(read_archive(archive, tmp_path / "out").results) == 1


def test_files_of_several_tasks_come_in_the_order_of_their_names(tmp_path):
    archive = archive_of(
        tmp_path / "o.tar.gz",
        ("r/eval_results/results_2.json", b"two"),
        ("r/eval_results/results_1.json", b"one"),
    )
    files = read_archive(archive, tmp_path / "out")
    assert [path.read_bytes() for path in files.results] == [b"one", b"two"]
    with pytest.raises(JudgeJobError, match="holds 2 results JSON instead of one"):
        files.only_results()


def test_a_missing_member_is_reported_with_what_was_found(tmp_path):
    archive = archive_of(tmp_path / "o.tar.gz", ("run/logs/stdout.txt", b"boom"))
    files = read_archive(archive, tmp_path / "out")
    with pytest.raises(JudgeJobError, match=r"0 details Parquet.*run/logs/stdout.txt"):
        files.only_details()


@pytest.mark.parametrize(
    "name",
    [
        "../../escape/eval_results/results_1.json",
        "run/eval_results/../../../results_1.json",
        "/abs/eval_results/results_1.json",
        "run/eval_results/details/../../../../details_x.parquet",
    ],
)
def test_a_climbing_or_absolute_name_writes_nothing_outside(tmp_path, name):
    inner = tmp_path / "a/b/c"
    inner.mkdir(parents=True)
    archive = archive_of(inner / "o.tar.gz", (name, b"evil"))
    read_archive(archive, inner / "out")
    written = {path for path in tmp_path.rglob("*") if path.is_file()} - {archive}
    assert all(path.parent == inner / "out" for path in written)


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE],
)
def test_a_link_or_device_in_place_of_a_result_is_refused(tmp_path, kind):
    archive = archive_of(tmp_path / "o.tar.gz", (special(RESULTS, kind), b""))
    with pytest.raises(JudgeJobError, match="link or a special file"):
        read_archive(archive, tmp_path / "out")


def test_links_elsewhere_are_passed_over(tmp_path):
    link = special("run/x", tarfile.SYMTYPE, str(tmp_path))
    archive = archive_of(tmp_path / "o.tar.gz", (link, b""), ("run/x/evil", b"1"), (RESULTS, b"{}"))
    assert len(read_archive(archive, tmp_path / "out").results) == 1
    assert not (tmp_path / "evil").exists()


def test_an_existing_file_or_link_in_the_folder_is_never_overwritten(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "mine").write_text("keep")
    (out / "results-0.json").symlink_to(tmp_path / "mine")
    archive = archive_of(tmp_path / "o.tar.gz", (RESULTS, b"{}"))
    with pytest.raises(JudgeJobError, match="already exists"):
        read_archive(archive, out)
    assert (tmp_path / "mine").read_text() == "keep"


def bomb(path, name, size):
    """A member that claims and holds `size` zero bytes, in a few kilobytes of gzip."""
    info = tarfile.TarInfo(name)
    info.size = size
    with gzip.open(path, "wb") as file:
        file.write(info.tobuf())
        for _ in range(size // (1 << 20)):
            file.write(b"\0" * (1 << 20))
        file.write(b"\0" * 1024)
    return path


@pytest.mark.parametrize("name", [RESULTS, DETAILS, "run/anything"])
def test_a_bomb_is_refused_without_being_unpacked(tmp_path, name):
    archive = bomb(tmp_path / "o.tar.gz", name, 256 << 20)
    tracemalloc.start()
    with pytest.raises(JudgeJobError, match=r"expands to more than|claims"):
        read_archive(archive, tmp_path / "out", ArchiveLimits(ratio_free_bytes=8 << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) < 64 << 20


def test_a_huge_extended_header_is_refused_before_it_is_read(tmp_path):
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 64 << 20
    with gzip.open(tmp_path / "o.tar.gz", "wb") as file:
        file.write(info.tobuf() + b"\0" * (64 << 20))
    with pytest.raises(JudgeJobError, match=r"asks for .* bytes at once"):
        read_archive(tmp_path / "o.tar.gz", tmp_path / "out")


def test_headers_without_end_are_refused(tmp_path):
    header = tarfile.TarInfo._create_pax_generic_header({"comment": "x"}, b"x", "utf-8")
    (tmp_path / "o.tar.gz").write_bytes(gzip.compress(header * 5_000))
    with pytest.raises(JudgeJobError, match="a header asks for 512 bytes"):
        read_archive(tmp_path / "o.tar.gz", tmp_path / "out")


def test_too_many_members_are_refused(tmp_path):
    archive = archive_of(tmp_path / "o.tar.gz", *((f"f{n}", b"") for n in range(30)))
    with pytest.raises(JudgeJobError, match="more than 20 members"):
        read_archive(archive, tmp_path / "out", ArchiveLimits(members=20))


def test_every_truncation_is_an_error_or_loses_nothing(tmp_path):
    content = bytes(range(256)) * 40
    whole = archive_of(tmp_path / "o.tar.gz", (RESULTS, b"{}"), (DETAILS, content)).read_bytes()
    for length in range(0, len(whole), 7):
        cut = tmp_path / f"cut-{length}.tar.gz"
        cut.write_bytes(whole[:length])
        with pytest.raises(JudgeJobError, match="damaged or cut off"):
            read_archive(cut, tmp_path / f"out-{length}")


def test_flipped_bytes_are_an_error_or_the_right_content(tmp_path):
    content = bytes(range(256)) * 4
    whole = archive_of(tmp_path / "o.tar.gz", (RESULTS, content), (DETAILS, content)).read_bytes()
    refused = 0
    for position in range(0, len(whole), 3):
        damaged = tmp_path / f"bad-{position}.tar.gz"
        damaged.write_bytes(
            whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :]
        )
        try:
            files = read_archive(damaged, tmp_path / f"out-{position}")
        except JudgeJobError:
            refused += 1
        else:  # the file name and time inside the gzip header are not under its checksum
            assert position < 40
            assert files.results[0].read_bytes() == files.details[0].path.read_bytes() == content
    assert refused > 50


@pytest.mark.parametrize(
    "content",
    [b"", b"not gzip", gzip.compress(b"", mtime=0), gzip.compress(b"x" * 999, mtime=0)],
    ids=["empty", "not gzip", "gzip of nothing", "gzip of no tar"],
)
def test_what_is_no_archive_is_an_error(tmp_path, content):
    (tmp_path / "o.tar.gz").write_bytes(content)
    with pytest.raises(JudgeJobError, match=r"o\.tar\.gz"):
        read_archive(tmp_path / "o.tar.gz", tmp_path / "out")
