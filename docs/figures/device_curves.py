"""Draw docs/images/device-*.png: the curves of some device presets, as ``rramsim presets NAME --plot FILE`` draws them.

``python docs/figures/device_curves.py`` takes some seconds and always draws the same pictures.
"""

import sys
from pathlib import Path

import rramsim as rs
from rramsim.cell.portrait import portrait
from rramsim.report.curves import device_figure
from rramsim.report.style import picture

NAMES = ("rram-wan-2022", "rram-milo-2021", "rram-cmo-hfox", "pcm-nandakumar-2019", "sonos")
FOLDER = Path(__file__).parents[1] / "images"


def main() -> None:
    """Draw."""
    FOLDER.mkdir(exist_ok=True)
    for name in NAMES:
        device = rs.device(name)
        figure = device_figure(portrait(device), title=device.title, source=" ".join(device.source.split()))
        target = FOLDER / f"device-{name}.png"
        target.write_bytes(picture(figure))
        sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main()
