"""Evidence that the statistics need of a judged pair, and the order in which pairs are judged."""

from collections.abc import Iterable

import numpy as np

from nova_judge.pairs.weighted_scores import recomputed_scores
from nova_judge.records import InputRow, JudgedRow
from nova_judge.statistics.arrays import Ints
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


def judging_ranks(rows: Iterable[InputRow], seed: int = 0) -> Ints:
    """The place of each row in the order of judging: 0 is judged first.

    A test that may stop at any time takes each job for a sample of the whole, and the beginning of
    a file, which is often sorted by topic or source, is none. Drawn from the seed and the row's
    prompt (or `cluster`), so that rows of one prompt follow one another; neither the order of the
    file nor the number of shards plays a part, except between rows of one prompt.
    """
    keys = np.array([key_of(str(seed), str(cluster_of(row))) for row in rows], dtype=np.uint64)
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[np.argsort(keys, kind="stable")] = np.arange(len(keys))
    return ranks


def _length(text: str | None) -> int | None:
    return None if text is None else len(text)
