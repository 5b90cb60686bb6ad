# Public names of rramsim and where they live: the one list, for type checkers, the package and docs/api.md. A comment
# names the page of the guide. `python tests/helpers/public_names.py` adds the types that signatures need.

from .activity import Activity as Activity
from .activity import Inventory as Inventory
from .activity import Result as Result
from .array.adc.base import AdcSpec as AdcSpec
from .array.adc.design import AdcDesign as AdcDesign
from .array.adc.design import CodeRange as CodeRange
from .array.adc.design import Staircase as Staircase
from .array.adc.flash import FlashAdcSpec as FlashAdcSpec
from .array.adc.pipeline import PipelineAdcSpec as PipelineAdcSpec
from .array.adc.programmed import ProgrammedAdc as ProgrammedAdc
from .array.adc.ramp import RampAdcSpec as RampAdcSpec
from .array.adc.sar import SarAdcSpec as SarAdcSpec  # macro.md#converters
from .array.cam import CamSpec as CamSpec  # softmax.md#why-search-lines-starve
from .array.cam import LineCurrents as LineCurrents
from .array.cam import LineSignals as LineSignals
from .array.cam import Margin as Margin
from .array.cam import ProgrammedCam as ProgrammedCam
from .array.dac import DacSpec as DacSpec  # macro.md#drivers
from .array.dac import ProgrammedDac as ProgrammedDac
from .array.lut import LutSpec as LutSpec  # softmax.md
from .array.lut import ProgrammedLut as ProgrammedLut
from .array.network import Network as Network
from .array.network import NodeVoltages as NodeVoltages
from .array.sensing import SenseSpec as SenseSpec  # softmax.md#sense-amplifiers
from .array.solution import Evidence as Evidence
from .array.solution import Solution as Solution
from .array.wired import ProgrammedArray as ProgrammedArray
from .array.wires import WireSpec as WireSpec  # arrays.md#the-circuit
from .cards import presets as presets  # devices.md#presets
from .cell.cells import Drawn as Drawn
from .cell.cells import ProgrammedCells as ProgrammedCells
from .cell.cells import ReadMoments as ReadMoments
from .cell.conduction.cubic import CubicConductionSpec as CubicConductionSpec
from .cell.conduction.formula import FormulaConductionSpec as FormulaConductionSpec
from .cell.conduction.law import ConductionSpec as ConductionSpec
from .cell.conduction.linear import LinearConductionSpec as LinearConductionSpec
from .cell.conduction.polynomial import PolynomialConductionSpec as PolynomialConductionSpec
from .cell.conduction.sinh import SinhConductionSpec as SinhConductionSpec
from .cell.curves import CurveSpec as CurveSpec  # devices.md#figures-that-depend-on-the-state
from .cell.design import DeviceDesign as DeviceDesign
from .cell.design import TargetRange as TargetRange
from .cell.device import DeviceSpec as DeviceSpec
from .cell.device import device as device  # devices.md#figures-of-your-own
from .cell.faults import EnduranceSpec as EnduranceSpec  # devices.md#the-parts
from .cell.faults import FaultMap as FaultMap
from .cell.faults import StuckSpec as StuckSpec  # devices.md#the-parts
from .cell.fitting.fit import DeviceFit as DeviceFit
from .cell.fitting.fit import fit_device as fit_device
from .cell.fitting.tables import Estimate as Estimate
from .cell.fitting.tables import Goodness as Goodness
from .cell.fitting.tables import LevelTable as LevelTable
from .cell.fitting.tables import RetentionTable as RetentionTable
from .cell.levels import LevelSpec as LevelSpec  # devices.md#the-parts
from .cell.noise import Cumulants as Cumulants
from .cell.noise import ReadNoiseSpec as ReadNoiseSpec  # devices.md#the-parts
from .cell.noise import TelegraphSpec as TelegraphSpec  # devices.md#the-parts
from .cell.part import Effect as Effect
from .cell.part import Window as Window
from .cell.retention import DriftSpec as DriftSpec  # devices.md#the-parts
from .cell.retention import RelaxationSpec as RelaxationSpec  # devices.md#the-parts
from .cell.retention import TemperatureSpec as TemperatureSpec  # devices.md#the-parts
from .cell.spread.gaussian import GaussianSpreadSpec as GaussianSpreadSpec  # devices.md#the-parts
from .cell.spread.law import SpreadSpec as SpreadSpec  # devices.md#the-parts
from .cell.spread.lognormal import LognormalSpreadSpec as LognormalSpreadSpec  # devices.md#the-parts
from .cell.writing import CellSteps as CellSteps
from .cell.writing import WriteOutcome as WriteOutcome
from .cell.writing import WriteSpec as WriteSpec  # devices.md#write-and-verify
from .cost.budget import Budget as Budget
from .cost.budget import Part as Part
from .cost.components import Component as Component
from .cost.components import ComponentTable as ComponentTable
from .cost.components import components as components
from .cost.pipeline import Schedule as Schedule
from .cost.pipeline import Stage as Stage
from .cost.price import Price as Price
from .cost.price import price as price
from .engine.attention import AttentionRanges as AttentionRanges
from .engine.attention import AttentionResult as AttentionResult
from .engine.attention import AttentionSpec as AttentionSpec
from .engine.attention import ProgrammedAttention as ProgrammedAttention
from .engine.chip import ChipSession as ChipSession
from .engine.chip import ChipSpec as ChipSpec  # #a-whole-network
from .engine.chip import ProgrammedChip as ProgrammedChip
from .engine.files import load as load  # macro.md#files-and-time
from .engine.macro.converters import Converters as Converters
from .engine.macro.design import MacroDesign as MacroDesign
from .engine.macro.design import MacroRanges as MacroRanges  # macro.md#ranges
from .engine.macro.mapping import Pulse as Pulse
from .engine.macro.product import ProgrammedMacro as ProgrammedMacro
from .engine.macro.programming import MacroSpec as MacroSpec
from .engine.macro.programming import macro as macro  # macro.md#presets
from .engine.macro.rows import ColumnCumulants as ColumnCumulants
from .engine.macro.rows import ColumnSteps as ColumnSteps
from .engine.macro.rows import RowOfTiles as RowOfTiles
from .engine.macro.solving import NewtonCost as NewtonCost
from .engine.softmax.circuits import DigitalCircuit as DigitalCircuit
from .engine.softmax.digital.base2_lut import Base2LutSoftmaxSpec as Base2LutSoftmaxSpec
from .engine.softmax.digital.fixed_point import FixedPointSoftmaxSpec as FixedPointSoftmaxSpec
from .engine.softmax.digital.floating import FloatSoftmaxSpec as FloatSoftmaxSpec
from .engine.softmax.digital.hybrid import HybridSoftmaxSpec as HybridSoftmaxSpec
from .engine.softmax.digital.ibert import IBertSoftmaxSpec as IBertSoftmaxSpec
from .engine.softmax.digital.softermax import SoftermaxSpec as SoftermaxSpec
from .engine.softmax.digital.unit import DigitalSoftmaxSpec as DigitalSoftmaxSpec
from .engine.softmax.digital.unit import ProgrammedDigitalSoftmax as ProgrammedDigitalSoftmax
from .engine.softmax.digital.unit import SoftmaxSignals as SoftmaxSignals
from .engine.softmax.engine import ProgrammedSoftmax as ProgrammedSoftmax
from .engine.softmax.engine import SoftmaxSpec as SoftmaxSpec
from .engine.softmax.unit import ProgrammedSoftmaxUnit as ProgrammedSoftmaxUnit
from .engine.softmax.unit import SoftmaxUnitSpec as SoftmaxUnitSpec
from .errors import ConvergenceError as ConvergenceError  # arrays.md#how-exact
from .errors import RangeError as RangeError  # devices.md
from .errors import RramsimError as RramsimError  # index.md#conventions
from .errors import SpecError as SpecError  # studies.md#when-something-is-wrong
from .errors import TraceError as TraceError  # traces.md
from .fixed_point import FixedPointSpec as FixedPointSpec  # softmax.md#formats-and-masks
from .model.layers import Compute as Compute
from .model.recorded import recorded_scores as recorded_scores  # ../data/README.md
from .model.workload import Workload as Workload
from .probe import Probe as Probe
from .probe import ProbeRecorder as ProbeRecorder  # traces.md#inner-signals
from .references import Citations as Citations
from .references import Reference as Reference
from .report.page import write_report as write_report
from .rng import Streams as Streams  # studies.md#seeds
from .series import Series as Series
from .study.citing import cite as cite
from .study.run import run as run
from .study.spec import CostSpec as CostSpec
from .study.spec import StudySpec as StudySpec  # studies.md#the-keys
from .study.spec import WorkloadSpec as WorkloadSpec
from .study.sweep import ScoresSpec as ScoresSpec
from .study.sweep import SoftmaxStudySpec as SoftmaxStudySpec
from .study.sweep import SweepSpec as SweepSpec
from .study.sweep import ToleranceSpec as ToleranceSpec
from .study.toml import load_study as load_study
from .trace.read import Trace as Trace
from .trace.read import open_trace as open_trace
from .workload.graph import Attention as Attention
from .workload.graph import Elementwise as Elementwise
from .workload.graph import Graph as Graph
from .workload.graph import Product as Product
from .workload.transformer import transformer as transformer

__version__: str
