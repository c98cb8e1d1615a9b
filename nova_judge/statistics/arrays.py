"""The columns of numbers that statistics reckon with, by what an element is."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Codes: TypeAlias = npt.NDArray[np.uint8]
"""Members of a small enumeration, such as `Outcome`."""
Keys: TypeAlias = npt.NDArray[np.uint64]
"""Hashes that tell which rows belong together."""
RowIndices: TypeAlias = npt.NDArray[np.intp]
