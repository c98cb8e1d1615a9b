"""Evidence that the statistics need of a judged pair."""

from nova_judge.pairs.weighted_scores import recomputed_scores
from nova_judge.records import InputRow, JudgedRow
from nova_judge.statistics.evidence import EvidenceRow, key_of, markup_of


def evidence_row(judged: JudgedRow) -> EvidenceRow:
    """Evidence for the statistics of a judged row; the margin comes from the rubric's criteria."""
    row, judgment = judged.row, judged.judgment
    scores = recomputed_scores(judgment)
    return EvidenceRow(
        forward=judgment.forward,
        backward=judgment.backward,
        label=row.label,
        margin=scores.margin if scores else None,
        category=row.category,
        length_A=_length(row.response_A),
        length_B=_length(row.response_B),
        markup_A=markup_of(row.response_A),
        markup_B=markup_of(row.response_B),
        cluster=cluster_of(row),
    )


def verdicts_row(judged: JudgedRow) -> EvidenceRow:
    """Evidence that a decision needs of a judged row, without its texts' features."""
    judgment = judged.judgment
    return EvidenceRow(judgment.forward, judgment.backward, cluster=cluster_of(judged.row))


def cluster_of(row: InputRow) -> int:
    """Rows of one prompt are one cluster, or of one `cluster` where the input names them."""
    return key_of_prompt(row.prompt, row.cluster)


def key_of_prompt(prompt: str, cluster: str | None) -> int:
    """The key of rows with this prompt, or of this `cluster` where the input names it."""
    return key_of(prompt) if cluster is None else key_of("cluster", cluster)


def _length(text: str | None) -> int | None:
    return None if text is None else len(text)
