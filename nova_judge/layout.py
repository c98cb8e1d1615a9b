"""Layout of one run's files: the one place that knows the keys below `runs/<run id>/`."""

import re
from dataclasses import dataclass

INBOX = "inbox/"
UNSTARTED = f"{INBOX}no-cache/"
"""Uploads below it start nothing by themselves: whoever uploads one starts its run too."""
RECIPES = "recipes/"
RUNS = "runs/"
ANSWERS = "answers/"
WEIGHTS = f"{RUNS}_weights/"
"""Copies of gated models of the Hub; they expire as runs do."""
INDEX = f"{RUNS}_index/"
"""Headlines of all runs, one small file each, beside the runs: no run id has an underscore."""


def copy_folder(model: str, revision: str) -> str:
    """The folder that the copy of a model of the Hub lies in, one of its own for each revision."""
    return f"{WEIGHTS}{model}/{revision}/"


@dataclass(frozen=True, slots=True)
class RunLayout:
    """Keys of one run inside the data bucket."""

    run_id: str

    @property
    def prefix(self) -> str:
        """The folder of the run."""
        return f"{RUNS}{self.run_id}/"

    @property
    def request(self) -> str:
        """Request, written by ClaimRun: a `runs.run.Run`."""
        return f"{self.prefix}request.json"

    @property
    def index(self) -> str:
        """Headline of the run, whatever its state: a `findings.index_entry.IndexEntry`."""
        return f"{INDEX}{self.run_id}.json"

    @property
    def shards(self) -> str:
        """The input's byte ranges, written by ClaimRun: a list of `inputs.dataset.Shard`."""
        return f"{self.prefix}shards.json"

    @property
    def input(self) -> str:
        """The input as JSON Lines, where it came in another form."""
        return f"{self.prefix}input.jsonl"

    @property
    def rejected(self) -> str:
        """The lines that cannot be used, each with its number and reason."""
        return f"{self.prefix}rejected.jsonl"

    @property
    def report(self) -> str:
        """The folder of what people read."""
        return f"{self.prefix}report/"

    def report_file(self, name: str) -> str:
        """One file of the report."""
        return f"{self.report}{name}"

    def responses(self, candidate: str, shard: int) -> str:
        """A candidate's answers to one shard, row by row, or why there is none."""
        return f"{self.prefix}responses/{candidate}/{shard:05d}.jsonl"

    def rows(self, shard: int) -> str:
        """The rows and rejected lines of one shard: an `inputs.dataset.ShardRows`."""
        return f"{self.prefix}rows/{shard:05d}.json"

    def batch(self, candidate: str, shard: int) -> str:
        """Below `judge/`, because the role of Bedrock's jobs reaches nothing else."""
        return f"{self.prefix}judge/batch/{candidate}/{shard:05d}/"

    @property
    def failed(self) -> str:
        """The rows that got no answer, each with the reason."""
        return f"{self.prefix}failed.jsonl"

    @property
    def dataset(self) -> str:
        """Account of the input's lines: a `runs.row_accounting.DatasetSummary`."""
        return f"{self.prefix}dataset.json"

    @property
    def job_files(self) -> str:
        """The files of very many rows that are written side by side: `steps.job_files`.

        Named like the other lists that a Distributed Map reads.
        """
        return f"{self.prefix}judge/shards.json"

    def judge(self, number: int) -> str:
        """The folder of one judge job; jobs count from 0."""
        return f"{self.prefix}judge/{number}/"

    def judge_data(self, number: int, name: str) -> str:
        """Rows that a job reads, under the name that its container asks for."""
        return f"{self.judge(number)}input/{name}"

    def judge_job(self, number: int) -> str:
        """Purpose of a job: a `kinds.job.PlannedJob`."""
        return f"{self.judge(number)}job.json"

    def judge_metrics(self, number: int) -> str:
        """The custom metrics of a serverless job."""
        return f"{self.judge(number)}custom_metrics.json"

    def judge_rows(self, number: int) -> str:
        """The rows that were sent, in the order of the data file."""
        return f"{self.judge(number)}rows.jsonl"

    def judge_recipe(self, number: int) -> str:
        """The container's recipe."""
        return f"{self.judge(number)}recipe/recipe.yaml"

    def judge_outcome(self, number: int) -> str:
        """Outcome of the job: a `runs.job_outcome.JobOutcome`."""
        return f"{self.judge(number)}outcome.json"

    @property
    def job_requests(self) -> str:
        """The requests of a run's jobs, where they are more than the state machine carries."""
        return f"{self.prefix}job_requests.json"

    def judge_shards(self, number: int) -> str:
        """The byte ranges of a job's data, where its rows are asked by calls."""
        return f"{self.judge(number)}shards.json"

    def judge_replies(self, number: int, shard: int) -> str:
        """The replies to one shard of a job, row by row."""
        return f"{self.judge(number)}replies/{shard:05d}.jsonl"

    def judge_part(self, number: int, job: str) -> str:
        """The folder of what a report needs of the rows of this job: `steps.judged_parts`."""
        return f"{self.judge(number)}read/{job}/"

    def judge_output(self, number: int) -> str:
        """The folder that the job writes below."""
        return f"{self.judge(number)}output/"


def run_of_output(uri: str) -> tuple[str, int] | None:
    """The run id and the job's number of an S3 output path; None where it is not ours."""
    match = re.search(rf"/{RUNS}([^/]+)/judge/(\d+)/output", uri)
    return (match[1], int(match[2])) if match else None
