"""rramsim: RRAM crossbars at device level, with the crossbar softmax engine and attention pipeline of STAR.

``import rramsim as rs`` is light: everything is loaded on first use. SI units everywhere.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

_FOLDER = Path(__file__).parent
if not (_FOLDER / "kernels").is_dir() and (_FOLDER.parent / "kernels" / "_jit.py").is_file():
    # A checkout: `kernels` and `data` stand beside the package, which a script in the clone's folder takes from there.
    __path__.append(str(_FOLDER.parent))

_HOMES = {
    "AdcSpec": "array.converters",
    "AttentionSpec": "engine.attention",
    "Base2LutSoftmaxSpec": "engine.softmax.rivals",
    "CamSpec": "array.cam",
    "ChipSpec": "engine.chip",
    "ConductionSpec": "cell.conduction",
    "ConvergenceError": "errors",
    "CurveSpec": "cell.curves",
    "DacSpec": "array.converters",
    "DeviceSpec": "cell.device",
    "DriftSpec": "cell.retention",
    "EnduranceSpec": "cell.faults",
    "FixedPointSoftmaxSpec": "engine.softmax.rivals",
    "FixedPointSpec": "fixed_point",
    "FloatSoftmaxSpec": "engine.softmax.rivals",
    "HybridSoftmaxSpec": "engine.softmax.rivals",
    "IBertSoftmaxSpec": "engine.softmax.rivals",
    "LevelSpec": "cell.levels",
    "LutSpec": "array.lut",
    "MacroRanges": "engine.macro.design",
    "MacroSpec": "engine.macro.programming",
    "Network": "array.network",
    "ProgrammingSpec": "cell.statistics",
    "RangeError": "errors",
    "ReadNoiseSpec": "cell.noise",
    "RelaxationSpec": "cell.retention",
    "RramsimError": "errors",
    "SenseSpec": "array.sensing",
    "SoftermaxSpec": "engine.softmax.rivals",
    "SoftmaxSpec": "engine.softmax.engine",
    "SpecError": "errors",
    "Streams": "rng",
    "StuckSpec": "cell.faults",
    "StudySpec": "study.config",
    "TelegraphSpec": "cell.noise",
    "TemperatureSpec": "cell.retention",
    "TraceError": "errors",
    "WireSpec": "array.wires",
    "WriteSpec": "cell.writing",
    "device": "cell.device",
    "fit_device": "cell.fitting.fit",
    "load_macro": "engine.macro.stored",
    "load_study": "study.config",
    "macro_presets": "cards",
    "open_trace": "trace.read",
    "presets": "cards",
    "recorded_models": "model.recorded",
    "recorded_scores": "model.recorded",
    "run": "study.run",
    "save_macro": "engine.macro.stored",
    "write_report": "report.page",
}

__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604  (the keys are strings)

if TYPE_CHECKING:
    from .array.cam import CamSpec as CamSpec
    from .array.converters import AdcSpec as AdcSpec
    from .array.converters import DacSpec as DacSpec
    from .array.lut import LutSpec as LutSpec
    from .array.network import Network as Network
    from .array.sensing import SenseSpec as SenseSpec
    from .array.wires import WireSpec as WireSpec
    from .cards import macro_presets as macro_presets
    from .cards import presets as presets
    from .cell.conduction import ConductionSpec as ConductionSpec
    from .cell.curves import CurveSpec as CurveSpec
    from .cell.device import DeviceSpec as DeviceSpec
    from .cell.device import device as device
    from .cell.faults import EnduranceSpec as EnduranceSpec
    from .cell.faults import StuckSpec as StuckSpec
    from .cell.fitting.fit import fit_device as fit_device
    from .cell.levels import LevelSpec as LevelSpec
    from .cell.noise import ReadNoiseSpec as ReadNoiseSpec
    from .cell.noise import TelegraphSpec as TelegraphSpec
    from .cell.retention import DriftSpec as DriftSpec
    from .cell.retention import RelaxationSpec as RelaxationSpec
    from .cell.retention import TemperatureSpec as TemperatureSpec
    from .cell.statistics import ProgrammingSpec as ProgrammingSpec
    from .cell.writing import WriteSpec as WriteSpec
    from .engine.attention import AttentionSpec as AttentionSpec
    from .engine.chip import ChipSpec as ChipSpec
    from .engine.macro.design import MacroRanges as MacroRanges
    from .engine.macro.programming import MacroSpec as MacroSpec
    from .engine.macro.stored import load_macro as load_macro
    from .engine.macro.stored import save_macro as save_macro
    from .engine.softmax.engine import SoftmaxSpec as SoftmaxSpec
    from .engine.softmax.rivals import Base2LutSoftmaxSpec as Base2LutSoftmaxSpec
    from .engine.softmax.rivals import FixedPointSoftmaxSpec as FixedPointSoftmaxSpec
    from .engine.softmax.rivals import FloatSoftmaxSpec as FloatSoftmaxSpec
    from .engine.softmax.rivals import HybridSoftmaxSpec as HybridSoftmaxSpec
    from .engine.softmax.rivals import IBertSoftmaxSpec as IBertSoftmaxSpec
    from .engine.softmax.rivals import SoftermaxSpec as SoftermaxSpec
    from .errors import ConvergenceError as ConvergenceError
    from .errors import RangeError as RangeError
    from .errors import RramsimError as RramsimError
    from .errors import SpecError as SpecError
    from .errors import TraceError as TraceError
    from .fixed_point import FixedPointSpec as FixedPointSpec
    from .model.recorded import recorded_models as recorded_models
    from .model.recorded import recorded_scores as recorded_scores
    from .report.page import write_report as write_report
    from .rng import Streams as Streams
    from .study.config import StudySpec as StudySpec
    from .study.config import load_study as load_study
    from .study.run import run as run
    from .trace.read import open_trace as open_trace


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("rramsim")
    if name not in _HOMES:
        raise AttributeError(f"module 'rramsim' has no attribute {name!r}")
    found = getattr(import_module(f"rramsim.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
