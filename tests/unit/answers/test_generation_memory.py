"""Planning and generating take the memory of one shard, however large the file is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

MOST_BYTES = 256 * 1024**2
WORKER = """
import json, pathlib, re, sys
from nova_judge.answers.answer_store import AnswerJournal, ShardPlace
from nova_judge.answers.answers import Answer
from nova_judge.inputs.reading import AnswerSources
from nova_judge.answers.generate import generate
from nova_judge.answers.lane import AnswerSource
from nova_judge.recipe.recipe import Shards
from nova_judge.inputs.dataset import read_shard
from nova_judge.inputs.dataset import cut
from tests.made.folder_objects import FolderObjects

class Model:
    def ask(self, prompt):
        return Answer(prompt[:2000])

file, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
size, rows = file.stat().st_size, 0
plan = [s for s in cut(size, Shards().bytes)]
for shard in plan:
    with file.open("rb") as content:
        content.seek(max(shard.start - 1, 0))
        chunks = iter(lambda: content.read(1 << 20), b"")
        read = read_shard(chunks, shard, AnswerSources("generated", "generated"))
    prompts = [row.prompt for row in read.rows]
    objects, place = FolderObjects(folder), ShardPlace("run", shard.index)
    sources = {
        c: AnswerSource(Model(), AnswerJournal(objects, c, place, reuse=False), threads=8)
        for c in "AB"
    }
    generated = generate(dict.fromkeys(sources, prompts), sources)
    assert generated.left == 0
    rows += len(prompts)
    for chunk in folder.rglob("*.jsonl"):
        chunk.unlink()
# Not getrusage: its peak is inherited from the process that started this one.
status = open("/proc/self/status").read()
peak = int(re.search(r"VmHWM:[^0-9]*([0-9]+) kB", status)[1]) * 1024
print(json.dumps({"rows": rows, "shards": len(plan), "peak": peak}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's own count")
def test_a_file_of_1_gb_is_planned_and_answered_in_less_than_256_mb(tmp_path):
    file, answers = tmp_path / "input.jsonl", tmp_path / "store"
    answers.mkdir()
    line_bytes, lines = 50_000, 20_200
    rest = "words of a long question " * (line_bytes // 25)
    with file.open("w") as content:
        for number in range(lines):
            content.write(f'{{"prompt": "question {number} {rest}"}}\n')
    assert file.stat().st_size > 10**9
    command = [sys.executable, "-c", WORKER, str(file), str(answers)]
    root = Path(__file__).parents[3]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert ended.returncode == 0, ended.stderr
    measured = json.loads(ended.stdout)
    assert measured["rows"] == lines
    assert measured["peak"] < MOST_BYTES, measured
