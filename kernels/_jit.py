"""The one door to numba: every kernel is compiled with the same flags and cached per state of all kernel sources."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

__all__ = [
    "COMPILED",
    "fused_kernel",
    "fused_table_kernel",
    "fused_table_part",
    "inlined_part",
    "kernel",
    "part",
    "summing_part",
    "table_kernel",
    "table_part",
    "table_summing_part",
]

Function = TypeVar("Function", bound=Callable[..., object])


def _choose_cache_folder() -> bool:
    """Point numba at a cache folder named by a digest of the kernels; False where none can be written.

    Numba does not notice a change in a helper of another file; a digest of all of them does.
    ``NUMBA_CACHE_DIR`` wins where the user sets it.
    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return True
    sources = sorted(Path(__file__).parent.glob("*.py"))
    content = str(__package__).encode() + b"".join(path.read_bytes() for path in sources)
    digest = hashlib.blake2b(content, digest_size=8).hexdigest()
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "rramsim" / f"kernels-{digest}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError):
        return False
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    return True


_CACHE = _choose_cache_folder()

import numba  # noqa: E402  (reads its cache folder from the environment when imported)

if "NUMBA_CACHE_DIR" in os.environ:
    # Numba may have been imported before us.
    numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # type: ignore[attr-defined]

COMPILED = not numba.config.DISABLE_JIT  # type: ignore[attr-defined]
"""Whether kernels are compiled: not where NUMBA_DISABLE_JIT asks for plain Python."""


def kernel(function: Function) -> Function:
    """Compile a kernel in nopython mode: GIL released, IEEE division, cached on disk.

    ``contract`` and ``reassoc`` are left out, so that a sum has one order and a result one set of bits.
    """
    return _compiled(function, set())


def fused_kernel(function: Function) -> Function:
    """Compile a kernel with fused multiply-add where the processor has it: recurrences run twice as fast."""
    return _compiled(function, {"contract"})


def part(function: Function) -> Function:
    """Compile a part of fused kernels, called by them alone."""
    return _compiled(function, {"contract"}, inner=True)


def summing_part(function: Function) -> Function:
    """Compile a part of fused kernels that sums in the order that suits the vector unit.

    Four times as fast, with one order of the sum per processor.
    """
    return _compiled(function, {"contract", "reassoc", "nsz"}, inner=True)


def table_kernel(function: Function) -> Function:
    """Compile a kernel over tables of many arrays, which counts no references to them: it is 20 times as fast.

    It cannot allocate: whatever it works in is handed to it.
    """
    return _compiled(function, set(), counted=False)


def table_part(function: Function) -> Function:
    """Compile a part of table kernels, inlined into them: tables are too many arrays to be passed on."""
    return _compiled(function, set(), inner=True, counted=False, forced=True)


def fused_table_kernel(function: Function) -> Function:
    """Compile a kernel over tables of many arrays, with fused multiply-add; it cannot allocate."""
    return _compiled(function, {"contract"}, counted=False)


def fused_table_part(function: Function) -> Function:
    """Compile a part of such kernels by itself: several places call it, or it is long."""
    return _compiled(function, {"contract"}, inner=True, counted=False)


def inlined_part(function: Function) -> Function:
    """A part that such a kernel calls in one place, and that is put there before anything is compiled.

    It takes the flags of the kernel, and no more time to compile than its lines would.
    """
    return _compiled(function, {"contract"}, inner=True, counted=False, inline="always")


def table_summing_part(function: Function) -> Function:
    """Compile a part of table kernels that sums in the order that suits the vector unit: one order per processor."""
    return _compiled(function, {"contract", "reassoc", "nsz"}, inner=True, counted=False, forced=True)


def _compiled(
    function: Function,
    flags: set[str],
    *,
    inner: bool = False,
    counted: bool = True,
    forced: bool = False,
    inline: str = "never",
) -> Function:
    compiled: Function = numba.njit(  # type: ignore[call-overload]
        function,
        cache=_CACHE,
        nogil=True,
        error_model="numpy",
        fastmath=flags,
        # No entry from Python: a third of the time to compile it.
        no_cpython_wrapper=inner,
        no_cfunc_wrapper=inner,
        forceinline=forced,
        inline=inline,
        _nrt=counted,  # as numba's own sorting functions have it
    )
    return compiled
