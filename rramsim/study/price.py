"""What a chip costs: its parts, its activity and its pipeline, put into the hands of ``rramsim.cost``."""

from typing import NamedTuple

import numpy as np

from rramsim.activity import Activity, Inventory
from rramsim.cost.budget import Budget, budget
from rramsim.cost.components import ComponentTable, load_components
from rramsim.cost.pipeline import Schedule, Stage, schedule
from rramsim.engine.chip import ProgrammedChip
from rramsim.engine.macro.product import ProgrammedMacro
from rramsim.model.encoder import Architecture

from .point import network
from .spec import StudySpec

__all__ = ["Priced", "price"]


class Priced(NamedTuple):
    """The bill of one inference, and its schedule at two grains."""

    budget: Budget
    vector_grained: Schedule
    operand_grained: Schedule


def price(study: StudySpec, chip: ProgrammedChip, activity: Activity, n_samples: int) -> Priced:
    """Price a chip that classified ``n_samples`` images with the given activity."""
    net, components = network(), load_components(study.cost.components)
    sizes = net.architecture
    digital = Activity({"vector_lane": net.vector_operations, "buffer_byte": _buffer_bytes(sizes)})
    operands = _operand_macros(study, chip)
    inventory = Inventory({"vector_lane": study.cost.vector_lanes}).within("digital")
    inventory += Inventory({"buffer_byte": sizes.length * max(sizes.width, sizes.hidden)}).within("digital")
    for macro in chip.macros.values():
        inventory += macro.inventory.within("static weights")
    for name, attention in chip.attentions.items():
        for block, macro in zip(("attention scores", "attention mix"), operands[name], strict=True):
            inventory += (macro.inventory * sizes.heads).within(block)
        if attention.softmax:
            inventory += attention.softmax.inventory.within("softmax")
    stages = _stages(chip, operands, components, sizes.length, sizes.heads)
    vector = schedule(stages, sizes.length, "vector")
    operand = schedule(stages, sizes.length, "operand")
    operations = 2.0 * sum(net.multiply_accumulates.values())
    total = activity + (digital * n_samples).within("digital")
    return Priced(budget(total, inventory, vector, n_samples, operations, components), vector, operand)


def _buffer_bytes(sizes: Architecture) -> int:
    """Every vector is read from a buffer before a product and written back after it, a byte for each number."""
    return sum(sizes.vectors[name] * (n_in + n_out) for name, (n_in, n_out) in sizes.matrices.items())


def _operand_macros(study: StudySpec, chip: ProgrammedChip) -> dict[str, tuple[ProgrammedMacro, ProgrammedMacro]]:
    """Macros as large as those for the keys and the values of one head, for their parts and times."""
    sizes, attention = network().architecture, study.chip.attention
    operands = {}
    for name, layer in chip.attentions.items():
        keys = attention.macro.program(np.zeros((sizes.head_width, sizes.length)), ranges=layer.ranges.keys)
        values = attention.value_macro.program(np.zeros((sizes.length, sizes.head_width)), ranges=layer.ranges.values)
        operands[name] = (keys, values)
    return operands


def _stages(
    chip: ProgrammedChip,
    operands: dict[str, tuple[ProgrammedMacro, ProgrammedMacro]],
    components: ComponentTable,
    length: int,
    heads: int,
) -> list[Stage]:
    """The network as a pipeline of token vectors.

    Heads work side by side, but the softmax engine of a layer serves one head after another.
    """

    def second(serial: dict[str, int]) -> float:
        return sum(count * components[name].time_second for name, count in serial.items())

    def macro(name: str) -> float:
        return second(chip.macros[name].serial)

    stages = [Stage("embed", macro("embed"))]
    for name, attention in chip.attentions.items():
        layer = name.removesuffix(".attention")
        keys, values = operands[name]
        softmax = second(attention.softmax.turns(length)) * heads if attention.softmax else 0.0
        # Every query meets all keys, so scores wait until keys and values of all tokens are written.
        write = max(keys.write_second, values.write_second)
        stages += [
            Stage(f"{layer}.query, key, value", max(macro(f"{layer}.{part}") for part in ("query", "key", "value"))),
            Stage(f"{layer}.scores", second(keys.serial), setup_second=write, waits_for_all=True),
            Stage(f"{layer}.softmax", softmax),
            Stage(f"{layer}.mix", second(values.serial)),
            Stage(f"{layer}.output", macro(f"{layer}.output")),
            Stage(f"{layer}.expand", macro(f"{layer}.expand")),
            Stage(f"{layer}.contract", macro(f"{layer}.contract")),
        ]
    # Only the class token is classified.
    return [*stages, Stage("classify", 0.0, setup_second=macro("classify"), waits_for_all=True)]
