"""The report of a run wherever it lies, and of a job's output that no run of ours made."""

from pathlib import Path

from nova_judge.aws.fetched_runs import open_run, temporary_folder
from nova_judge.findings.saved_report import SavedReport, open_report
from nova_judge.steps.import_job import import_job, is_job_output


def report_at(reference: str, kept: Path | None = None) -> SavedReport:
    """The report of a run: its folder, its metrics file, `s3://…`, or the output of any job.

    A job's output is its `output.tar.gz` (in S3 too), the folder that it was unpacked to, or what a
    Bedrock evaluation wrote: it is imported into a folder that goes when the program ends, as is
    what S3 holds without `kept`. Raises SavedReportError and JudgeJobError.
    """
    in_s3 = reference.startswith("s3://")
    if reference.endswith(".tar.gz") if in_s3 else is_job_output(Path(reference)):
        return import_job(reference, temporary_folder(), draw=False)
    return open_report(open_run(reference, kept))
