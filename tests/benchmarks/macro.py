"""How fast the crossbar macro multiplies beside other ways to the same codes: ``python tests/benchmarks/macro.py``.

Tables in Markdown go to the standard output, progress to the standard error. ``--crosssim PYTHON`` names an interpreter
with CrossSim (a clone of github.com/sandialabs/cross-sim, ``pip install`` of it in an environment of its own);
``--programming`` also writes the weights of BERT-base, which takes minutes. The exit status is 1 where codes differ
from those of a product in double precision by more than ties.
"""

import os

if __name__ == "__main__":
    # Before numpy loads its BLAS: one thread, and the kernels that OpenBLAS chooses for this processor by itself.
    for _name in ("OPENBLAS", "OMP", "MKL", "NUMBA"):
        os.environ[f"{_name}_NUM_THREADS"] = "1"
    for _name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(_name, None)

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from network import as_factor, show
from timing import Timed, in_turns, progress

import rramsim as rs
from rramsim.engine.macro import fused
from rramsim.engine.macro.mapping import input_pulses, quantize
from rramsim.threads import limit_threads, thread_count

SIZE, BATCH, BITS, SLICES, TILE = 768, 128, 8, 4, 128
"""Of the matrix, of the inputs, bits of an input, slices of two bits of a weight, rows and columns of a tile."""
MACS = BATCH * SIZE * SIZE * BITS * SLICES
SGEMM_RATE, NUMPY_RATIO, CROSSSIM_RATIO, NOISE_RATIO, BERT_SECOND = 1.7, 2.5, 8.0, 1.6, 600.0
TIE = 2.5e-4
"""Steps from the middle between two codes within which a sum in single precision may be rounded to either."""
OHM = 1.0
SGEMM, KERNEL, NOISY_KERNEL = "sgemm, six of (1024 x 128) @ (128 x 3072)", "rramsim, kernel", "rramsim, kernel, noise"
CALL, NOISY_CALL, STACKED = "rramsim, whole call", "rramsim, whole call, noise", "NumPy, stacked"

NOTES = f"""
{BATCH} vectors of {BITS} unsigned bits times {SIZE} x {SIZE} normal weights of 8 bits, as differential pairs
in {SLICES} slices of 2 bits on tiles of {TILE} x {TILE} cells, written with the spread of rram-wan-2022, {OHM:g} ohm
a segment, 8-bit converters of a calibrated range: {MACS:.2e} effective multiplications (vectors x inputs x
outputs x bits x slices), {MACS // TILE:.2e} conversions. Median CPU time of one thread, the methods in turns.

* sgemm: `np.matmul` into memory that is there, of float32 matrices of the shapes that the bits of all vectors and all
  slices make, one for each row of tiles.
* kernel: from packed bits to added-up codes; whole call: `macro.apply(x)`, from numbers to numbers, with activity.
* NumPy begins with bits as float32 matrices, as the kernel does with packed ones. Stacked: bits and slices in one
  product for each row of tiles, `rint` and `clip` in place, `tensordot` over bits; for all vectors at a time, or for a
  few, whose currents stay in the cache. Loops: a product for each bit and slice, in float32.
* As CrossSim: a product for each bit and slice, (outputs x rows) @ (rows x vectors), its converter and its
  accumulation, without its slicing of inputs; whole rows of tiles, or tiles of {TILE} x {TILE} each. CrossSim itself
  works in the precision that its device model leaves to the weights, single or double, on inputs in single precision.
* Outputs that differ from codes of a product in double precision: where a current is within {TIE:g} steps of the middle
  between two codes; any other is an error.
"""

CROSSSIM = """
import json, sys, time, statistics
import numpy as np
from importlib.metadata import version
from simulator import AnalogCore, CrossSimParameters
from simulator.parameters.core_parameters import BitSlicedCoreStyle, CoreStyle
from simulator.parameters.xbar_parameters import ADCRangeLimits

def core(w, columns, device_model="RRAMWan", wires=0.0, noise=0.0):
    p = CrossSimParameters()
    p.core.style, p.core.weight_bits, p.core.rows_max, p.core.cols_max = CoreStyle.BITSLICED, 8, tile, columns
    p.core.bit_sliced.style, p.core.bit_sliced.num_slices = BitSlicedCoreStyle.BALANCED, 4
    p.core.mapping.inputs.mvm.min, p.core.mapping.inputs.mvm.max = 0.0, 1.0
    dac, adc, device, lines = p.xbar.dac.mvm, p.xbar.adc.mvm, p.xbar.device, p.xbar.array.parasitics
    dac.model, dac.signed, dac.bits, dac.input_bitslicing, dac.slice_size = "QuantizerDAC", False, 8, True, 1
    adc.model, adc.signed, adc.bits, adc.adc_per_ibit = "SignMagnitudeADC", True, 8, True
    adc.adc_range_option, adc.calibrated_range = ADCRangeLimits.CALIBRATED, [[-32.0, 32.0]] * 4
    device.Rmin, device.Rmax, device.cell_bits = 1 / 39e-6, 1e6, 2
    write, read = device.programming_error, device.read_noise
    write.enable, write.model, write.magnitude = True, device_model, 0.04
    if wires:
        lines.disable_slices = [False] * 4  # its core asks for this, its parameters do not have it
        lines.enable, lines.Rp_row, lines.Rp_col = True, wires, wires
    if noise:
        read.enable, read.model, read.magnitude = True, "NormalProportionalDevice", noise
    return AnalogCore(w.T.copy(), p)

def median(call, rounds):
    call()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times)

size, batch, tile, rounds, ohm = (int(word) for word in sys.argv[1:])
rng = np.random.default_rng(0)
w = rng.standard_normal((size, size)).astype(np.float32)
x = rng.random((size, batch)).astype(np.float32)
exact = w.T @ x
out = {"version": version("CrossSim"), "numpy": np.__version__}
for model in ("RRAMWan", "NormalIndependentDevice"):
    whole, tiles = core(w, 0, model), core(w, tile, model)
    kind = str(whole.cores[0][0].W_balanced[0].dtype)
    out[model] = {
        "dtype": kind,
        "error": float(np.linalg.norm(whole.matmat(x) - exact) / np.linalg.norm(exact)),
        "rows": median(lambda: whole.matmat(x), rounds),
        "tiles": median(lambda: tiles.matmat(x), rounds),
    }
for name, options in (("noise", {"noise": 0.01}), ("wires", {"wires": float(ohm)})):
    single = core(w, tile, **options)
    start = time.process_time()
    single.matvec(x[:, 0])
    out[name] = time.process_time() - start
a, b = rng.random((8 * batch, tile), dtype=np.float32), rng.random((tile, 4 * size), dtype=np.float32)
c = np.empty((len(a), b.shape[1]), np.float32)
out["sgemm"] = median(lambda: [np.matmul(a, b, out=c) for _ in range(size // tile)], rounds)
print(json.dumps(out))
"""

PROGRAMMING = """
import json, sys, time
import numpy as np
from rich.console import Console
from rich.progress import Progress
import rramsim as rs
layers, ohm = int(sys.argv[1]), float(sys.argv[2])
def spec(wires):
    return rs.MacroSpec(
        device=rs.device("rram-wan-2022"), wires=wires, adc=rs.AdcSpec(bits=8), tile_rows=128, tile_columns=128
    )
wires = rs.WireSpec(word_line_ohm=ohm, bit_line_ohm=ohm)
rng = np.random.default_rng(0)
shapes = [(768, 768)] * 4 + [(768, 3072), (3072, 768)]
def peak():  # getrusage would count the process that started this one
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
def write(shape, wires, seed, **options):
    w = rng.standard_normal(shape)
    start = time.perf_counter()
    made = spec(wires).program(w, seed, keep_cells=False, **options)
    columns = [row.columns for row in made.rows]
    kept = [sum(each.nbytes for each in values if each is not None)
            for values in ([c.per_level for c in columns], [c.variance for c in columns])]
    return time.perf_counter() - start, kept, made.n_tiles
write((128, 128), wires, 0)  # compiles, or loads
plain = write(shapes[0], rs.WireSpec(), 0)[0]
out = {"before": peak(), "plain": plain, "layers": [], "kept": [0, 0], "tiles": 0, "first": None, "peaks": []}
started = time.process_time()
for layer in range(layers):
    total = 0.0
    for k, shape in enumerate(shapes):
        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task("writing tiles")
            tell = lambda written, tiles: bar.update(task, completed=written, total=tiles)
            second, kept, tiles = write(shape, wires, 6 * layer + k, progress=tell)
        out["first"] = out["first"] or second
        out["kept"] = [a + b for a, b in zip(out["kept"], kept)]
        out["tiles"] += tiles
        total += second
    out["layers"].append(total)
    out["peaks"].append(peak())
out["cpu"] = time.process_time() - started
print(json.dumps(out))
"""


class Setup:
    """The product, the macros that take it in several ways, and what NumPy needs of them."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.w, self.x = rng.standard_normal((SIZE, SIZE)), rng.random((BATCH, SIZE))
        self.device = rs.device("rram-wan-2022", read_noise=rs.ReadNoiseSpec())
        self.noisy_device = rs.device("rram-wan-2022", read_noise=rs.ReadNoiseSpec(relative=0.01))
        self.quiet, self.noisy = self.macro(), self.macro(device=self.noisy_device)
        self.t = [np.ascontiguousarray(row.columns.per_level[0]) for row in self.quiet.rows]
        adc = self.quiet.converters.adc
        self.low, self.high = np.float32(adc.code_min), np.float32(adc.code_max)
        codes, self.input_step = quantize(self.x, BITS, self.quiet.ranges.inputs, signed=False)
        pulses = input_pulses(codes, BITS, 1, signed=False, bipolar=False)
        bits = np.stack([pulse.levels for pulse in pulses]).astype(np.float32)
        self.bits = [np.ascontiguousarray(bits[..., k : k + TILE]) for k in range(0, SIZE, TILE)]
        """For each row of tiles (BITS, BATCH, TILE)."""
        self.pulse_weights = np.array([pulse.weight for pulse in pulses], np.float32)
        self.slice_weights = self.quiet.spec.slice_weights.astype(np.float32)

    def macro(self, **options: Any) -> Any:
        """A written macro; its converters' range is found from some of the inputs."""
        adc = {"bits": 8, "range": "calibrated", **options.pop("adc", {})}
        spec = rs.MacroSpec(
            device=options.pop("device", self.device),
            wires=rs.WireSpec(word_line_ohm=OHM, bit_line_ohm=OHM),
            adc=rs.AdcSpec(**adc),
            signed_inputs=False,
            tile_rows=TILE,
            tile_columns=TILE,
            **options,
        )
        return spec.program(self.w, 1, spec.calibrate(self.w, self.x[:32]))

    def codes_of(self, values: np.ndarray) -> np.ndarray:
        """Products as sums of codes."""
        spec, step_ampere = self.quiet.spec, self.quiet.converters.step_ampere
        per_code = step_ampere[0] / (spec.step_volt * spec.unit_siemens[0])
        return values / (self.quiet.weight_step * self.input_step * per_code)


def kernel_alone(macro: Any, x: np.ndarray) -> Callable[[], Any]:
    """The calls of the fused kernel that a product makes, to make them again without what is around them."""
    calls: list[tuple[Any, ...]] = []
    kernel = fused.bit_serial

    def noted(*arguments: Any) -> int:
        calls.append(arguments)
        return kernel(*arguments)

    with mock.patch.object(fused, "bit_serial", noted):
        macro.apply(x)
    if len(calls) != SIZE // TILE:
        raise RuntimeError(f"{len(calls)} calls of the kernel for {SIZE // TILE} rows of tiles")
    return lambda: [kernel(*arguments) for arguments in calls]


# The same in NumPy; each returns sums of codes (BATCH, SIZE).


def stacked(setup: Setup, at_once: int) -> Callable[[], np.ndarray]:
    """Bits and slices in one product for each row of tiles, for some vectors at a time."""
    starts = range(0, BATCH, at_once)
    pieces = [[np.ascontiguousarray(bits[:, k : k + at_once]).reshape(-1, TILE) for k in starts] for bits in setup.bits]
    sums = np.empty((BITS * at_once, SLICES * SIZE), np.float32)
    weights, low, high = setup.pulse_weights, setup.low, setup.high

    def multiply() -> np.ndarray:
        total = np.zeros((BATCH, SLICES * SIZE), np.float32)
        for own, t in zip(pieces, setup.t, strict=True):
            for k, bits in zip(starts, own, strict=True):
                np.matmul(bits, t, out=sums)
                np.rint(sums, out=sums)
                np.clip(sums, low, high, out=sums)
                total[k : k + at_once] += np.tensordot(weights, sums.reshape(BITS, -1), 1).reshape(at_once, -1)
        return np.tensordot(setup.slice_weights, total.reshape(BATCH, SLICES, SIZE), (0, 1))

    return multiply


def loops(setup: Setup) -> Callable[[], np.ndarray]:
    """A product for each bit and slice; currents and totals stay in the cache."""
    slices = [[np.ascontiguousarray(t[:, s * SIZE : (s + 1) * SIZE]) for s in range(SLICES)] for t in setup.t]
    sums, low, high = np.empty((BATCH, SIZE), np.float32), setup.low, setup.high

    def multiply() -> np.ndarray:
        total = np.zeros((BATCH, SIZE), np.float32)
        for own, bits in zip(slices, setup.bits, strict=True):
            for t, weight in zip(own, setup.slice_weights, strict=True):
                for k, pulse_weight in enumerate(setup.pulse_weights):
                    np.matmul(bits[k], t, out=sums)
                    np.rint(sums, out=sums)
                    np.clip(sums, low, high, out=sums)
                    np.multiply(sums, weight * pulse_weight, out=sums)
                    np.add(total, sums, out=total)
        return total

    return multiply


def as_crosssim(setup: Setup, columns: int, dtype: type[np.floating[Any]]) -> Callable[[], np.ndarray]:
    """A product for each bit and slice, converted and added up as its bit-sliced core does."""
    low, high = float(setup.low), float(setup.high)

    def convert(currents: np.ndarray) -> np.ndarray:
        inputs = currents.clip(low, high)
        inputs -= low
        inputs *= 1.0
        inputs = np.rint(inputs, out=inputs)
        inputs /= 1.0
        inputs += low
        return inputs

    tiles = [
        (r, c, [np.ascontiguousarray(t[:, s * SIZE + c : s * SIZE + c + columns].T, dtype) for s in range(SLICES)])
        for r, t in enumerate(setup.t)
        for c in range(0, SIZE, columns)
    ]
    inputs = [np.ascontiguousarray(np.moveaxis(bits, 1, 2), dtype) for bits in setup.bits]

    def multiply() -> np.ndarray:
        output = np.zeros((SIZE, BATCH))
        for r, c, own in tiles:
            slices = [np.zeros((columns, BATCH), dtype)] * SLICES
            for k in range(BITS):
                for s in range(SLICES):
                    codes = convert(np.matmul(own[s], inputs[r][k]))
                    if k == 0:
                        slices[s] = codes.copy()
                    else:
                        slices[s] += codes
                    slices[s] /= 2.0
            total = slices[0]
            for s in range(1, SLICES):
                total += float(setup.slice_weights[s]) * slices[s]
            output[c : c + columns] += total
        return output.T * 2.0**BITS

    return multiply


class Check(NamedTuple):
    """Sums of codes from products in double precision, and which of them have a conversion close to a tie."""

    codes: np.ndarray
    tied: np.ndarray

    @classmethod
    def of(cls, setup: Setup) -> "Check":
        codes, tied = np.zeros((BATCH, SIZE)), np.zeros((BATCH, SIZE), dtype=bool)
        for bits, t in zip(setup.bits, setup.t, strict=True):
            double = t.astype(np.float64)
            for k, pulse_weight in enumerate(setup.pulse_weights):
                sums = (bits[k].astype(np.float64) @ double).reshape(BATCH, SLICES, SIZE)
                tied |= (np.abs(sums - np.floor(sums) - 0.5) < TIE).any(axis=1)
                converted = np.clip(np.rint(sums), setup.low, setup.high)
                codes += pulse_weight * np.einsum("s,bso->bo", setup.slice_weights, converted)
        return cls(codes, tied)

    def __call__(self, found: np.ndarray) -> str:
        """How many outputs differ; the text begins with "wrong" where that is more than ties."""
        if not np.allclose(found, np.rint(found), rtol=0, atol=1e-3):
            return "wrong: no integers"
        differ = np.rint(found) != self.codes
        wrong = int((differ & ~self.tied).sum())
        return f"wrong: {wrong}" if wrong else f"{differ.sum()} of {differ.size}"


# Tables.


def main_methods(setup: Setup) -> dict[str, Callable[[], Any]]:
    """What is timed in turns, by name."""
    rng = np.random.default_rng(0)
    a = (rng.random((BITS * BATCH, TILE)) < 0.5).astype(np.float32)
    out = np.empty((BITS * BATCH, SLICES * SIZE), np.float32)
    x, quiet, noisy = setup.x, setup.quiet, setup.noisy
    return {
        SGEMM: lambda: [np.matmul(a, t, out=out) for t in setup.t],
        KERNEL: kernel_alone(quiet, x),
        NOISY_KERNEL: kernel_alone(noisy, x),
        CALL: lambda: quiet.apply(x),
        NOISY_CALL: lambda: noisy.apply(x),
        STACKED: stacked(setup, BATCH),
        "NumPy, stacked, 16 vectors at a time": stacked(setup, 16),
        "NumPy, stacked, 4 vectors at a time": stacked(setup, 4),
        "NumPy, loops": loops(setup),
        "NumPy, as CrossSim, float32, rows of tiles": as_crosssim(setup, SIZE, np.float32),
        "NumPy, as CrossSim, float32, tiles": as_crosssim(setup, TILE, np.float32),
        "NumPy, as CrossSim, float64, rows of tiles": as_crosssim(setup, SIZE, np.float64),
        "NumPy, as CrossSim, float64, tiles": as_crosssim(setup, TILE, np.float64),
    }


def relative_error(values: np.ndarray, setup: Setup) -> float:
    """Of a product, root mean square, relative to that of the exact product."""
    exact = setup.x @ setup.w
    return float(np.linalg.norm(values - exact) / np.linalg.norm(exact))


def peer_rows(timed: dict[str, Timed], check: Check, setup: Setup) -> tuple[list[list[str]], bool]:
    """Everyone beside the product of matrices, the kernel and the whole call."""
    sgemm, kernel, call = (timed[name].seconds for name in (SGEMM, KERNEL, CALL))
    fastest = min((name for name in timed if name.startswith("NumPy")), key=lambda name: timed[name].seconds)
    rows, good = [], True
    for name, each in timed.items():
        codes, target = "-", "-"
        if name == CALL:
            codes = check(setup.codes_of(each.result.values))
        elif name.startswith("NumPy"):
            codes = check(each.result)
        good &= not codes.startswith("wrong")
        rate = sgemm / each.seconds
        if name == KERNEL:
            target = verdict(rate, SGEMM_RATE, "products")
        elif name in (fastest, STACKED):
            target = verdict(each.seconds / kernel, NUMPY_RATIO, "kernels")
        elif "CrossSim" in name and name.endswith(", tiles"):
            target = verdict(each.seconds / kernel, CROSSSIM_RATIO, "kernels")
        ratios = [as_factor(each.seconds / ours) for ours in (kernel, call)]
        rows.append([name, f"{1e3 * each.seconds:.1f}", f"{rate:.2f}", *ratios, target, codes])
    return rows, good


def verdict(found: float, wanted: float, unit: str) -> str:
    return f">= {wanted:g} {unit}" + ("" if found >= wanted else ", missed")


def noise_rows(timed: dict[str, Timed]) -> list[list[str]]:
    """What read noise costs."""
    allowed = timed[SGEMM].seconds / SGEMM_RATE
    rows = []
    for name, quiet, noisy in (("kernel", KERNEL, NOISY_KERNEL), ("whole call", CALL, NOISY_CALL)):
        without, with_noise = timed[quiet].seconds, timed[noisy].seconds
        ratio = with_noise / allowed
        wanted = f"<= {NOISE_RATIO:g}" + ("" if ratio <= NOISE_RATIO else ", missed")
        times = (f"{1e3 * without:.1f}", f"{1e3 * with_noise:.1f}")
        rows.append([name, *times, f"{with_noise / without:.2f}", f"{ratio:.2f}", wanted])
    return rows


def variants(setup: Setup) -> dict[str, Any]:
    """Macros of the same product by name."""
    bow = {"inl_lsb": (0.0, 0.4, 0.0, -0.4, 0.0)}
    own = {"columns": 8, "capacitor_mismatch": 0.02, "gain_spread": 0.01, "offset_spread_lsb": 0.5}
    cases: dict[str, dict[str, Any]] = {
        "nonlinear converters, one table": {"adc": bow},
        "mismatched converters, one for 8 columns": {"adc": own},
        "mismatched converters, noise": {"adc": {**own, "noise_lsb": 0.3}, "device": setup.noisy_device},
        "pairs converted separately": {"signed": "separate"},
        "offset, counted digitally": {"signed": "offset"},
        "offset, unit column, flipped": {"signed": "offset", "zero": "unit column", "flip": True},
        "accumulator of 24 bits": {"accumulator_bits": 24},
        "2 bits a pulse": {"dac": rs.DacSpec(bits=2)},
        "2 bits a pulse, noise": {"dac": rs.DacSpec(bits=2), "device": setup.noisy_device},
        "accumulated as charge": {"accumulate": "analog"},
        "accumulated as charge, noise": {"accumulate": "analog", "device": setup.noisy_device},
    }
    made = {"differential": setup.quiet, "differential, noise": setup.noisy}
    for name, options in cases.items():
        progress(f"writing: {name}")
        made[name] = setup.macro(**options)
    return made


def variant_rows(setup: Setup, rounds: int, budget: float) -> list[list[str]]:
    """Whole calls of macros of other kinds."""
    made = variants(setup)
    progress("macros of other kinds")
    with limit_threads(1):
        timed = in_turns({name: lambda m=m: m.apply(setup.x) for name, m in made.items()}, rounds=rounds, budget=budget)
    rows = []
    for name, each in timed.items():
        adc = made[name].spec.adc.component
        conversions = each.result.activity.total(adc)
        rows.append(
            [
                name,
                f"{1e3 * each.seconds:.0f}",
                f"{each.seconds / timed['differential'].seconds:.2f}",
                f"{conversions:.2e}",
                f"{1e9 * each.seconds / conversions:.2f}",
                f"{100 * relative_error(each.result.values, setup):.2f}",
            ]
        )
    return rows


def crosssim_rows(python: str, timed: dict[str, Timed], rounds: int) -> tuple[str, list[list[str]]]:
    """Its version, and its core on the same work."""
    progress("CrossSim")
    arguments = [str(each) for each in (SIZE, BATCH, TILE, rounds, int(OHM))]
    ran = subprocess.run([python, "-P", "-c", CROSSSIM, *arguments], capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout.splitlines()[-1])
    call, noisy = timed[CALL].seconds, timed[NOISY_CALL].seconds
    cases = []
    for model in ("RRAMWan", "NormalIndependentDevice"):
        own = found[model]
        error = f"{100 * own['error']:.0f}"
        cases.append((f"{model}, {own['dtype']}, rows of tiles", own["rows"], call, False, error))
        cases.append((f"{model}, {own['dtype']}, tiles of {TILE} x {TILE}", own["tiles"], call, True, error))
    cases.append((f"tiles, 1 % read noise, 1 vector times {BATCH}", found["noise"] * BATCH, noisy, False, "-"))
    cases.append((f"tiles, {OHM:g} ohm wires, 1 vector times {BATCH}", found["wires"] * BATCH, call, False, "-"))
    rows = []
    for name, seconds, ours, wanted, error in cases:
        ratios = [as_factor(seconds / each) for each in (timed[KERNEL].seconds, ours)]
        target = verdict(seconds / call, CROSSSIM_RATIO, "calls") if wanted else "-"
        rows.append([name, f"{1e3 * seconds:.4g}", *ratios, target, error])
    text = (
        f"CrossSim {found['version']}, numpy {found['numpy']}, its own core, in a process where sgemm takes "
        f"{1e3 * found['sgemm']:.0f} ms"
    )
    return text, rows


def programming_rows(layers: int) -> tuple[list[list[str]], str]:
    """The weights of BERT-base, written matrix by matrix in a process of its own."""
    progress(f"BERT-base, {layers} of 12 layers")
    command, load = [sys.executable, "-c", PROGRAMMING, str(layers), str(OHM)], os.getloadavg()[0]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(ran.stdout.splitlines()[-1])
    weights = 12 * 768 * 768 * 12
    seconds, share = found["layers"], layers / 12
    total = sum(seconds)
    planes, noise = (each / share / 1e9 for each in found["kept"])
    word = "measured" if layers == 12 else f"from {layers} of 12 layers"
    missed = "" if total / share <= BERT_SECOND else ", missed"
    rows = [
        ["weights of BERT-base, millions", f"{weights / 1e6:.1f}"],
        ["cells, millions; tiles", f"{weights * 8 / 1e6:.0f}; {round(found['tiles'] / share)}"],
        ["one matrix of 768 x 768, s (without wires)", f"{found['first']:.1f} ({found['plain']:.1f})"],
        ["first layer, s (times 12)", f"{seconds[0]:.1f} ({12 * seconds[0]:.0f})"],
        [f"all layers, s, {word} (target {BERT_SECOND:g}{missed})", f"{total / share:.0f}"],
        ["CPU seconds of all layers; ns per cell",
         f"{found['cpu'] / share:.0f}; {1e9 * found['cpu'] / share / (weights * 8):.0f}"],
        ["peak memory, MiB: before; after the first layer; at the end",
         f"{found['before']:.0f}; {found['peaks'][0]:.0f}; {found['peaks'][-1]:.0f}"],
        ["what stays if all macros are kept, GB: currents; variances", f"{planes:.2f}; {noise:.2f}"],
    ]  # fmt: skip
    return rows, f"wall time on {thread_count()} threads, load average {load:.1f} before"


def conditions(sgemm: float) -> str:
    """What was measured, where and how."""
    names = ("numpy", "numba", "rramsim")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    flop = 2 * BITS * BATCH * SIZE * SLICES * SIZE
    return f"sgemm at {flop / sgemm / 1e9:.0f} GFLOP/s; Python {platform.python_version()}, {versions}.\n{NOTES}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few calls, no macros of other kinds")
    parser.add_argument("--rounds", type=int, help="turns of each method; default 11")
    parser.add_argument("--crosssim", metavar="PYTHON", help="an interpreter with CrossSim")
    parser.add_argument("--programming", action="store_true", help="also write the weights of BERT-base")
    parser.add_argument("--layers", type=int, default=12, help="layers to write; the time of all is continued")
    options = parser.parse_args(arguments)
    rounds = options.rounds or (3 if options.quick else 11)
    progress("writing")
    setup = Setup()
    progress("one thread, in turns")
    with limit_threads(1):
        timed = in_turns(main_methods(setup), rounds=rounds, budget=60)
    sys.stdout.write(conditions(timed[SGEMM].seconds))
    rows, good = peer_rows(timed, Check.of(setup), setup)
    headings = ["method", "ms", "sgemm = 1", "kernel = 1", "whole call = 1", "target", "outputs that differ"]
    show("Products", headings, rows)
    headings = ["", "quiet, ms", "noisy, ms", "noisy / quiet", f"noisy / (sgemm / {SGEMM_RATE:g})", "target"]
    show("Read noise of 1 %", headings, noise_rows(timed))
    if options.crosssim:
        text, rows = crosssim_rows(options.crosssim, timed, rounds)
        headings = ["CrossSim", "ms", "kernel = 1", "whole call = 1", "target", "rms error, %"]
        show(text, headings, rows)
    if not options.quick:
        headings = ["macro", "ms", "differential = 1", "conversions", "ns per conversion", "rms error, %"]
        show("Whole calls of other macros", headings, variant_rows(setup, rounds, 60))
    if options.programming:
        del setup, timed
        rows, text = programming_rows(options.layers)
        show(f"Writing and wires, {text}", ["", ""], rows)
    if not good:
        sys.stderr.write("codes differ by more than ties\n")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
