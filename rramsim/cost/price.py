"""What a network costs on a chip: parts, pipeline and, where uses were counted, energy, all from its graph."""

from dataclasses import dataclass

from rramsim.activity import Activity, Inventory
from rramsim.component_names import ComponentName
from rramsim.engine.chip import ChipSpec
from rramsim.errors import SpecError
from rramsim.workload.graph import Attention, Graph, Product, side_by_side

from .budget import Budget, budget
from .components import ComponentTable, load_components
from .pipeline import Schedule, Stage, schedule

__all__ = ["Price", "price"]


@dataclass(frozen=True)
class Price:
    """What one inference of a network costs on a chip.

    Parameters
    ----------
    graph
        What is computed.
    inventory
        Parts of the chip.
    area_square_metre
        Their area.
    vector_grained, operand_grained
        One inference in the pipeline, at either grain.
    budget
        Energy, power and efficiencies besides, by block and component; None where no activity was given: cells take
        what the data make them take, and a softmax engine searches as the scores have it, so that energy is counted in
        a run and never guessed.
    """

    graph: Graph
    inventory: Inventory
    area_square_metre: float
    vector_grained: Schedule
    operand_grained: Schedule
    budget: Budget | None = None

    @property
    def latency_second(self) -> float:
        """Time from the arrival of an input to its result, at the grain of vectors."""
        return self.vector_grained.latency_second

    @property
    def interval_second(self) -> float:
        """Time per inference when inferences follow one another."""
        return self.vector_grained.interval_second

    @property
    def inferences_per_second(self) -> float:
        """Inferences per second when they follow one another."""
        return 1.0 / self.interval_second

    @property
    def operations_per_inference(self) -> float:
        """Useful operations of one inference; a multiplication and its addition are two."""
        return 2.0 * self.graph.multiply_accumulates

    @property
    def gops_per_second(self) -> float:
        """10^9 operations per second when inferences follow one another."""
        return self.operations_per_inference / self.interval_second / 1e9

    @property
    def gops_per_second_per_square_millimetre(self) -> float:
        """10^9 operations per second on each square millimetre."""
        return self.gops_per_second / (self.area_square_metre * 1e6)

    @property
    def bill(self) -> Budget:
        """The budget.

        Raises
        ------
        SpecError
            Where no activity was given.
        """
        if self.budget is None:
            raise SpecError(
                "the energy is not known: it depends on the data, so it needs the activity that a run has counted, "
                "price(..., activity=run.activity, n_inferences=...); area, latency and throughput are known without"
            )
        return self.budget

    @property
    def energy_joule_per_inference(self) -> float:
        """Dynamic energy of one inference; a SpecError where no activity was given."""
        return self.bill.energy_joule_per_inference


def price(
    graph: Graph,
    chip: ChipSpec,
    *,
    activity: Activity | None = None,
    n_inferences: int = 1,
    components: ComponentTable | str = "isaac-32nm",
    vector_lanes: int = 64,
) -> Price:
    """Price a network on a chip: parts and times follow from graph and specification, and nothing is written or run.

    Parameters
    ----------
    graph
        What one inference computes: :func:`rramsim.transformer`, or the graph of a workload.
    chip
        The hardware: a macro for each product, two for each head of an attention, a softmax engine for each attention.
    activity
        Uses of components that a run counted, for ``n_inferences`` together, without the digital work that the graph
        knows. Without it there is no energy in the answer.
    n_inferences
        Inferences that the activity was counted for, at least 1.
    components
        Energies, times and areas: a table, the name of one, or the path of its file (``"mine.toml"``).
    vector_lanes
        Lanes of the digital unit for element-wise work, at least 1.

    Returns
    -------
    Price
        Area, latency, interval and operations; the budget, where the activity is known.

    Raises
    ------
    SpecError
        For a component that the table lacks, and numbers out of range.

    Notes
    -----
    Every vector of the network has its turn in every stage, also in one that takes fewer. Heads work side by side, but
    the softmax engine of an attention serves one head after another; a softmax in floating point
    (``attention.softmax`` None) takes no time and no area. Keys and values are written anew for every inference, once
    all of them are there; where writes are verified, for the longest time that the device allows.
    """
    if not isinstance(vector_lanes, int) or vector_lanes < 1:
        raise SpecError(f"price: vector_lanes is a whole number of at least 1; got {vector_lanes!r}")
    table = components if isinstance(components, ComponentTable) else load_components(components)
    softmax = _SoftmaxParts.of(chip, graph)
    inventory = _inventory(graph, chip, softmax, vector_lanes)
    stages = _stages(graph, chip, softmax, table)
    vector, operand = (schedule(stages, graph.length, grain) for grain in ("vector", "operand"))
    bill = None
    if activity is not None:
        digital = Activity(
            {ComponentName.VECTOR_LANE: graph.vector_operations, ComponentName.BUFFER_BYTE: graph.buffer_bytes}
        )
        total = activity + (digital * n_inferences).within("digital")
        bill = budget(total, inventory, vector, n_inferences, 2.0 * graph.multiply_accumulates, table)
    area = sum(count * table[name].area_square_metre for _, name, count in inventory.rows())
    return Price(graph, inventory, bill.area_square_metre if bill else area, vector, operand, bill)


@dataclass(frozen=True)
class _SoftmaxParts:
    """Parts of one softmax unit, and its turns for one vector of each length; nothing where there is none."""

    inventory: Inventory
    turns: dict[int, dict[str, int]]

    @classmethod
    def of(cls, chip: ChipSpec, graph: Graph) -> "_SoftmaxParts":
        lengths = sorted({attention.keys for attention in graph.attentions})
        if chip.attention.softmax is None or not lengths:
            return cls(Inventory(), {length: {} for length in lengths})
        unit = chip.attention.softmax
        return cls(unit.inventory, {length: unit.turns(length) for length in lengths})


def _inventory(graph: Graph, chip: ChipSpec, softmax: _SoftmaxParts, vector_lanes: int) -> Inventory:
    parts = Inventory({ComponentName.VECTOR_LANE: vector_lanes}).within("digital")
    parts += Inventory({ComponentName.BUFFER_BYTE: graph.largest_operand}).within("digital")
    for product in graph.products:
        parts += chip.macro.parts(product.n_in, product.n_out).within("static weights")
    keys, values = chip.attention.key_macro, chip.attention.value_macro
    for each in graph.attentions:
        parts += (keys.parts(each.head_width, each.keys) * each.heads).within("attention scores")
        parts += (values.parts(each.keys, each.head_width) * each.heads).within("attention mix")
        parts += softmax.inventory.within("softmax")
    return parts


def _stages(graph: Graph, chip: ChipSpec, softmax: _SoftmaxParts, table: ComponentTable) -> list[Stage]:
    """The network as a pipeline of vectors."""

    def second(turns: dict[str, int]) -> float:
        return sum(count * table[name].time_second for name, count in turns.items())

    def product_stage(step: tuple[Product, ...]) -> Stage:
        longest = max(second(chip.macro.turns(product.n_out)) for product in step)
        if step[0].waits_for_all:
            return Stage(side_by_side(step), 0.0, setup_second=step[0].vectors * longest, waits_for_all=True)
        return Stage(side_by_side(step), longest)

    keys, values = chip.attention.key_macro, chip.attention.value_macro

    def attention_stages(each: Attention) -> list[Stage]:
        name = each.name.removesuffix(".attention")
        # Every query meets all keys, so scores wait until keys and values of all tokens are written.
        write = max(keys.write_second(each.head_width), values.write_second(each.keys))
        return [
            Stage(f"{name}.scores", second(keys.turns(each.keys)), setup_second=write, waits_for_all=True),
            Stage(f"{name}.softmax", second(softmax.turns[each.keys]) * each.heads),
            Stage(f"{name}.mix", second(values.turns(each.head_width))),
        ]

    stages: list[Stage] = []
    for step in graph.steps:
        products = tuple(node for node in step if isinstance(node, Product))
        if products:
            stages.append(product_stage(products))
        for node in step:
            if isinstance(node, Attention):
                stages += attention_stages(node)
    return stages
