"""What the solver of an array takes: tables of arrays, all float64 and C-contiguous but for ``floating``.

An array of M x N cells has M input and N output lines::

    source volt_i - near_i - a[i,0] - segment_i - a[i,1] ... a[i,N-1] - (far_i) - source volt_i
    cell g[i,j] between a[i,j] and b[i,j]
    0 V - (top_j) - b[0,j] - out_segment_j - b[1,j] ... b[M-1,j] - bottom_j - 0 V      current out of column j

``near``, ``bottom`` and the segments are resistances; the terminals in parentheses are conductances and mostly 0.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "CellTable", "LineTable", "NodeTable", "SourceTable", "StopTable"]

Array = NDArray[np.float64]


class CellTable(NamedTuple):
    """The cells and their I-V law, of the voltage from input to output line.

    Parameters
    ----------
    g
        (M, N) siemens, of linear cells with their resistance in series.
    law
        Number of the law, an index into :data:`rramsim.kernels.conduction.LAWS`.
    parameter
        Of the law: 1 / volt (sinh), 1 / volt^2 (cubic), or its reach in volt (polynomial and formula).
    series_ohm
        Resistance in series with every cell whose law is not linear.
    square, cube
        (M, N) coefficients of the polynomial, ampere / volt^2 and ampere / volt^3; (0, 0) for the other laws.
    address, polarity, figures
        Of a formula: where its function stands, 1 or -1 where voltages and currents are the opposite of those of the
        law, and its parameters (k,); for the other laws 0, 1 and (0,).
    """

    g: Array
    law: int
    parameter: float
    series_ohm: float
    square: Array
    cube: Array
    address: int = 0
    polarity: float = 1.0
    figures: Array = np.empty(0)


class LineTable(NamedTuple):
    """The lines of an array and their ends.

    Parameters
    ----------
    near, segment, far
        (M,) ohm, ohm and siemens of the input lines.
    bottom, out_segment, top
        (N,) ohm, ohm and siemens of the output lines.
    floating
        (M,) int64, 1 where the source of an input line is disconnected (``near`` then stands for infinity), else 0.
    """

    near: Array
    segment: Array
    far: Array
    bottom: Array
    out_segment: Array
    top: Array
    floating: NDArray[np.int64]


class SourceTable(NamedTuple):
    """What drives an array.

    Parameters
    ----------
    volt
        (n, M) volt of the sources, for n vectors.
    input_ampere, output_ampere
        (M, N) ampere into the nodes of the input and of the output lines, for linear cells alone; (0, 0) for none.
    """

    volt: Array
    input_ampere: Array
    output_ampere: Array


class StopTable(NamedTuple):
    """When a solution is one.

    Parameters
    ----------
    tolerance
        Of the error in the energy norm, relative to the solution.
    max_iterations
        Conjugate-gradient iterations of a vector.
    most_residual
        Largest violation of Kirchhoff's voltage law, relative to the largest voltage of a source.
    """

    tolerance: float
    max_iterations: int
    most_residual: float


class NodeTable(NamedTuple):
    """Out: what is inside a solved array; arrays of length 0 where that is not wanted.

    Parameters
    ----------
    a, b
        (n, M, N) volt of the nodes of input and output lines.
    through, slope
        (n, M, N) ampere through the cells, and their slopes, siemens.
    along, down
        (n, M, N + 1) and (n, M + 1, N) ampere along the input and the output lines.
    """

    a: Array
    b: Array
    through: Array
    slope: Array
    along: Array
    down: Array
