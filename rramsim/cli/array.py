"""The commands about one array: solve it, or write it as a netlist for a circuit simulator."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from rramsim.errors import SpecError

__all__ = ["ArrayCommand", "netlist", "solve"]

Conductances = Annotated[
    Path,
    typer.Argument(
        metavar="G", help="Conductances, siemens: .npy or .csv, a row for each word line; 0 is an open cell."
    ),
]
Voltages = Annotated[
    Path | None,
    typer.Argument(
        metavar="V",
        help="Voltages of the input lines: .npy (..., inputs), or .csv with a vector on each line (or one column).",
        show_default=False,
    ),
]
Volt = Annotated[float | None, typer.Option(help="Instead of V: the same voltage on every input.", show_default=False)]


class ArrayCommand(TyperCommand):
    """A command with the options that describe an array; what they say is the object of its context.

    They are made when the command is the one that was called: the specifications that they come from take time to
    import.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """All parameters: those of the function, and the options of the array."""
        from .array_options import array_options

        return [*super().get_params(ctx), *array_options()]

    def invoke(self, ctx: Any) -> Any:
        """Call the function with its own parameters alone."""
        from .array_options import array_options

        ctx.obj = {option.name: ctx.params.pop(option.name) for option in array_options()}
        return super().invoke(ctx)


def solve(
    context: typer.Context,
    conductances: Conductances,
    voltages: Voltages = None,
    volt: Volt = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="The output currents, ampere: .npy or .csv.", show_default=False
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FIGURE", help="Heat maps of the (first) solution: .png, .svg or .pdf.", show_default=False
        ),
    ] = None,
    node_voltages: Annotated[
        Path | None,
        typer.Option(
            metavar="NODES.npz", help="Voltages on both sides of each cell: arrays word and bit.", show_default=False
        ),
    ] = None,
) -> None:
    """Solve one array: output currents, and what its wires cost.

    G holds the conductances of the cells, V the voltages of the input lines; where
    an option takes a FILE, it holds one number for each line, .npy or .csv.
    Prints the size of the array and of its IR drop, and how exact the solution is.
    Nothing is ever overwritten: an existing file is refused.

    [bold]Examples[/bold]

      rramsim solve G.npy V.npy --wire-ohm 1 --out I.npy
      rramsim solve G.csv --volt 0.2 --word-line-ohm 2 --bit-line-ohm 1 --driver-ohm 50
      rramsim solve G.npy V.npy --wire-ohm 1 --unselected floating --plot drop.png
    """
    from rramsim.files import check_targets
    from rramsim.report.terminal import print_table, terminal

    from .array_input import read_array
    from .array_tables import array_table, current_table, heat_maps, solved_array
    from .numbers import archive, number_file

    array = read_array(conductances, voltages, volt, context.obj)
    check_targets({out: (".npy", ".csv"), plot: (".png", ".svg", ".pdf"), node_voltages: (".npz",)})
    if out is not None and out.suffix == ".csv" and array.v.ndim > 2:
        raise SpecError(f"{out}: a .csv holds one vector or a list of vectors; for voltages {array.v.shape} write .npy")
    solved = solved_array(array)
    print_table(terminal(), array_table(solved), wrap=True)
    print_table(terminal(), current_table(solved))
    files = []
    if out is not None:
        files.append(("currents", out, number_file(solved.solution.currents, out.suffix)))
    if node_voltages is not None:
        files.append(("voltages", node_voltages, archive(word=solved.solution.word, bit=solved.solution.bit)))
    if plot is not None:
        files.append(("figure", plot, heat_maps(solved, plot.suffix)))
    _write(files)


def _write(files: Sequence[tuple[str, Path, bytes]]) -> None:
    """Write files, and say so: what each holds, its name and its content."""
    from rramsim.files import write_new_file

    for number, (what, path, content) in enumerate(files):
        write_new_file(path, content)
        typer.echo(("" if number else "\n") + f"{what + ':':10}{path}")


def netlist(
    context: typer.Context,
    conductances: Conductances,
    voltages: Voltages = None,
    volt: Volt = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The netlist; by default it is printed.", show_default=False),
    ] = None,
    print_nodes: Annotated[
        bool, typer.Option("--print-nodes", help="Have all node voltages printed, too, not the output currents alone.")
    ] = False,
) -> None:
    """Write one array as a SPICE netlist: the same circuit for ngspice.

    ngspice -b runs it as it is, and prints the output currents i_0, i_1, ...
    Where an option takes a FILE, it holds one number for each line: .npy or .csv.

    [bold]Examples[/bold]

      rramsim netlist G.npy V.npy --wire-ohm 1 --out array.cir
      ngspice -b array.cir
    """
    from rramsim.files import check_writable, write_new_file

    from .array_input import read_array

    array = read_array(conductances, voltages, volt, context.obj)
    if out is not None:
        check_writable(out)
    if array.v.ndim != 1:
        raise SpecError(f"{array.names[1]}: a netlist has one voltage for each input; got voltages {array.v.shape}")
    n_rows, n_columns = array.g.shape
    title = f"Crossbar of {n_rows} x {n_columns} cells: {array.names[0]} at {array.names[1]}"
    text = array.network().to_spice(array.v, title=title, print_nodes=print_nodes)
    if out is None:
        typer.echo(text, nl=False)
        return
    write_new_file(out, text.encode())
    typer.echo(f"{out}: written; run it with `ngspice -b {out}`")
