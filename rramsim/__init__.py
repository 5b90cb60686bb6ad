"""rramsim: RRAM crossbars at device level, with the crossbar softmax engine and attention pipeline of STAR.

``import rramsim as rs`` is light: compiled kernels and plots are loaded on first use. SI units everywhere.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

# At once, not on first use: the room `rramsim.device` would otherwise take the place of the function of that name.
from .device.base import device as device

_HOMES = {
    "AdcSpec": "array.converters",
    "AttentionSpec": "engine.attention",
    "CamSpec": "array.cam",
    "ChipSpec": "engine.chip",
    "ConvergenceError": "errors",
    "DeviceSpec": "device.base",
    "FixedPointSpec": "spec",
    "LutSpec": "array.lut",
    "MacroSpec": "engine.macro",
    "Network": "array.network",
    "ProgrammingSpec": "device.statistics",
    "RangeError": "errors",
    "ReadNoiseSpec": "device.statistics",
    "RramsimError": "errors",
    "SoftmaxSpec": "engine.softmax",
    "SpecError": "errors",
    "Streams": "rng",
    "StuckSpec": "device.faults",
    "StudySpec": "study.config",
    "TraceError": "errors",
    "WireSpec": "array.network",
    "load_study": "study.config",
    "open_trace": "trace.read",
    "presets": "device.base",
    "run": "study.run",
    "write_report": "report.page",
}

__all__ = [*_HOMES, "__version__", "device"]  # noqa: PLE0604  (the keys are strings)

if TYPE_CHECKING:
    from .array.cam import CamSpec as CamSpec
    from .array.converters import AdcSpec as AdcSpec
    from .array.lut import LutSpec as LutSpec
    from .array.network import Network as Network
    from .array.network import WireSpec as WireSpec
    from .device.base import DeviceSpec as DeviceSpec
    from .device.base import presets as presets
    from .device.faults import StuckSpec as StuckSpec
    from .device.statistics import ProgrammingSpec as ProgrammingSpec
    from .device.statistics import ReadNoiseSpec as ReadNoiseSpec
    from .engine.attention import AttentionSpec as AttentionSpec
    from .engine.chip import ChipSpec as ChipSpec
    from .engine.macro import MacroSpec as MacroSpec
    from .engine.softmax import SoftmaxSpec as SoftmaxSpec
    from .errors import ConvergenceError as ConvergenceError
    from .errors import RangeError as RangeError
    from .errors import RramsimError as RramsimError
    from .errors import SpecError as SpecError
    from .errors import TraceError as TraceError
    from .report.page import write_report as write_report
    from .rng import Streams as Streams
    from .spec import FixedPointSpec as FixedPointSpec
    from .study.config import StudySpec as StudySpec
    from .study.config import load_study as load_study
    from .study.run import run as run
    from .trace.read import open_trace as open_trace


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("rramsim")
    if name not in _HOMES:
        raise AttributeError(f"module 'rramsim' has no attribute {name!r}")
    found = getattr(import_module(f"rramsim.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
