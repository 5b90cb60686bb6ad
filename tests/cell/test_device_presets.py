"""Devices by name: what each preset says, and what becomes of the figures that are changed."""

import tomllib

import pytest

import rramsim as rs
from rramsim.cards import presets
from rramsim.cell.device import DeviceSpec, device
from rramsim.cell.faults import StuckSpec
from rramsim.cell.spread import GaussianSpreadSpec, LognormalSpreadSpec
from rramsim.data import data_path
from rramsim.errors import SpecError
from rramsim.kinds import KindSpec


class TestPresets:
    def test_the_names(self):
        assert presets() == sorted(presets())
        assert {"ideal", "rram-wan-2022", "rram-winbond-90nm", "rram-intel-22nm"} <= set(presets())

    @pytest.mark.parametrize("name", presets())
    def test_each_loads_and_tells_its_source(self, name):
        spec = device(name)
        assert spec.name == name
        assert len(spec.title) > 5
        assert len(spec.source) > 20
        assert 0 <= spec.g_min_siemens < spec.g_max_siemens < 1e-2

    @pytest.mark.parametrize("name", presets())
    def test_each_says_what_its_file_says(self, name):
        """Nothing is lost on the way, and nothing else than the file sets a field."""

        def agree(spec, card):
            named = {spec.discriminator} if isinstance(spec, KindSpec) else set()
            assert spec.model_fields_set == set(card) | named
            for key, value in card.items():
                given = getattr(spec, key)
                pairs = zip(given, value, strict=True) if isinstance(value, list) else [(given, value)]
                for one, other in pairs:
                    if isinstance(other, dict):
                        agree(one, other)
                    else:
                        assert one == other, key

        card = tomllib.loads(data_path("devices", f"{name}.toml").read_text(encoding="utf-8"))
        agree(device(name), {"name": name, **card})

    @pytest.mark.parametrize(
        ("name", "on_ohm", "on_off"), [("rram-winbond-90nm", 6e3, 150), ("rram-intel-22nm", 6e3, 17)]
    )
    def test_published_resistances(self, name, on_ohm, on_off):
        """DNN+NeuroSim V1.4, manual, Table VI."""
        spec = device(name)
        assert 1 / spec.g_max_siemens == pytest.approx(on_ohm, rel=1e-6)
        assert spec.g_max_siemens / spec.g_min_siemens == pytest.approx(on_off, rel=1e-6)

    def test_ideal_is_the_default(self):
        ideal, default = device("ideal"), DeviceSpec()
        assert (ideal.g_min_siemens, ideal.g_max_siemens) == (default.g_min_siemens, default.g_max_siemens)
        assert ideal.without_errors == ideal

    def test_unknown_name(self):
        with pytest.raises(
            SpecError, match=r"unknown device preset 'rram'; did you mean .*Allowed are epiram, ideal, "
        ):
            device("rram")

    def test_overrides(self):
        spec = device("rram-wan-2022", g_min_siemens=2e-6, name="mine")
        assert (spec.g_min_siemens, spec.name) == (2e-6, "mine")
        assert spec.programming == device("rram-wan-2022").programming
        with pytest.raises(SpecError, match="unknown key"):
            device("rram-wan-2022", g_mid_siemens=1e-6)

    def test_tables_are_merged(self):
        """A dict changes single fields of a table, a whole spec replaces it."""
        original = device("rram-wan-2022")
        spec = device("rram-wan-2022", stuck={"on_fraction": 0.1}, read_noise={"relative_deviation": 0.05})
        assert spec.stuck == StuckSpec(on_fraction=0.1)
        assert spec.programming == original.programming
        assert spec.read_noise.relative_deviation == 0.05
        flat = device("rram-wan-2022", programming={"spread_siemens": [1e-6]})
        assert flat.programming == GaussianSpreadSpec(spread_siemens=(1e-6,))
        whole = device("rram-wan-2022", programming=LognormalSpreadSpec(spread_log=0.1))
        assert whole.programming == LognormalSpreadSpec(spread_log=0.1)
        with pytest.raises(SpecError, match="spread_siemens: unknown key: it belongs to law = 'gaussian'"):
            device("rram-wan-2022", programming={"law": "lognormal"})

    def test_as_a_study_file_gives_it(self):
        assert DeviceSpec(preset="rram-wan-2022") == device("rram-wan-2022")
        assert DeviceSpec.model_validate({"preset": "ideal", "g_max_siemens": 2e-4}).g_max_siemens == 2e-4


class TestMerging:
    """Overrides as a study gives them: by tables, key by key."""

    CARD = (
        'g_max_siemens = 2e-4\nsource = "a paper"\n[stuck]\non_fraction = 0.1\noff_fraction = 0.2\n'
        "[programming]\nspread_siemens = [1e-6, 2e-6]\n[read_noise]\nrelative_deviation = 0.01\n"
        "[drift.exponent]\ncoefficients = [0.1]\nat_most = 0.2\n"
    )

    def test_toml(self, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text(self.CARD, encoding="utf-8")
        study = f'preset = "{path}"\ng_max_siemens = 3e-4\n[stuck]\non_fraction = 0.3\n[telegraph]\ntrap_share = 0.5\n'
        spec = DeviceSpec(**tomllib.loads(study))
        original = device(str(path))
        assert (spec.g_max_siemens, spec.source) == (3e-4, "a paper")
        assert spec.stuck == StuckSpec(on_fraction=0.3, off_fraction=0.2)
        assert spec.telegraph.trap_share == 0.5
        for part in ("programming", "read_noise", "drift"):
            assert getattr(spec, part) == getattr(original, part)

    def test_a_figure_is_replaced_as_a_whole(self, tmp_path):
        """A curve is one value, not a table to merge."""
        path = tmp_path / "mine.toml"
        path.write_text(self.CARD, encoding="utf-8")
        spec = device(str(path), drift={"exponent": {"points": [[0.0, 0.3]]}}, programming={"spread_siemens": 5e-6})
        assert spec.drift.exponent.at_most is None
        assert spec.drift.exponent.points == ((0.0, 0.3),)
        assert spec.programming.spread_siemens == 5e-6

    def test_through_a_study(self):
        """The settings of the command line change single keys of parts."""
        study = rs.load_study(settings=["device.drift.exponent=0.05", "device.device_to_device.spread_siemens=[1e-6]"])
        assert study.device.drift.exponent == 0.05
        assert study.device.device_to_device.spread_siemens == (1e-6,)
        assert study.device.programming == device("rram-wan-2022").programming
