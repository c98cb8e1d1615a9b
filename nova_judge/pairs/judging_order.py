"""The order in which rows are judged where judging may stop early: by hash, never as in the file.

A test that may stop at any time takes each job for a sample of the whole. Files are often sorted by
topic or source, so that their beginning is none.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from nova_judge.pairs.judged_evidence import cluster_of
from nova_judge.records import InputRow
from nova_judge.statistics.evidence import key_of


def judging_ranks(rows: Iterable[InputRow], seed: int = 0) -> npt.NDArray[np.int64]:
    """The place of each row in the order of judging: 0 is judged first.

    Drawn from the seed and the row's prompt (or `cluster`), so that rows of one prompt follow one
    another; neither the order of the file nor the number of shards plays a part, except between
    rows of one prompt.
    """
    keys = np.array([key_of(str(seed), str(cluster_of(row))) for row in rows], dtype=np.uint64)
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[np.argsort(keys, kind="stable")] = np.arange(len(keys))
    return ranks
