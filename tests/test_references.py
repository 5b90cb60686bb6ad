"""References: how they read, what is refused, and that every card names those of its source."""

import re
import tomllib

import pytest
from helpers.sources import ROOT

import rramsim as rs
from rramsim.cards import COMPONENTS, DEVICES, MACROS, presets
from rramsim.errors import SpecError
from rramsim.references import Citations, Reference, known_references

IN_SOURCES = {
    "accelergy-library": "Accelergy",
    "agrawal-2022": "V. Agrawal",
    "aihwkit": "aihwkit",
    "andrulis-2023": "T. Andrulis",
    "ankit-2019": "PUMA",
    "chi-2016": "P. Chi",
    "choi-2018": "S. Choi",
    "cimloop": "CiMLoop",
    "crosssim": "CrossSim",
    "dnn-neurosim": "DNN+NeuroSim",
    "falcone": "D. Falcone",
    "gong-2022": "N. Gong",
    "he-2020": "W. He ",
    "hu-2016": "M. Hu ",
    "jain-2019": "P. Jain",
    "joshi-2020": "V. Joshi",
    "khaddam-aljameh-2022": "R. Khaddam-Aljameh",
    "le-gallo-2023": "M. Le Gallo",
    "lee-2009": "B. C. Lee",
    "li-2020": "TIMELY",
    "li-camasim": "CAMASim",
    "memintelli": "MemIntelli",
    "milo-2021": "V. Milo",
    "mlp-neurosim": "MLP+NeuroSim",
    "mnsim": "MNSIM",
    "nandakumar-2019": "S. R. Nandakumar",
    "nvsim": "NVSim",
    "puma-simulator": "puma-simulator",
    "saberi-2011": "M. Saberi",
    "shafiee-2016": ("A. Shafiee", "ISAAC (ISCA", "rate: ISAAC", "ISAAC's paper"),
    "shao-2014": "Aladdin",
    "wan-2022": "W. Wan",
    "woo-2016": "J. Woo",
    "wu-2018": "W. Wu",
    "yang-2020": "X. Yang",
    "zhai-2023": "Y. Zhai",
}
"""How the sources of the cards call what has a key."""
ELSEWHERE = {"rramsim", "alpaydin-kaynak", "minilm-l6", "glassllm", "kim-2021", "stevens-2021"}
"""No card has figures of them: data, and digital softmax units."""
WITHOUT = {"ideal", "write_driver"}
"""Cards that rest on nothing published, as their sources say."""


def cards():
    """{name: what has a source and references} of all that comes with rramsim."""
    yield from ((f"device {name}", DEVICES.card(name)) for name in DEVICES.embedded)
    yield from ((f"macro {name}", MACROS.card(name)) for name in MACROS.embedded)
    for table in COMPONENTS.embedded:
        yield from (
            (f"{table} {name}", part) for name, part in tomllib.loads(COMPONENTS.text(table))["components"].items()
        )


CARDS = dict(cards())


def named_in(text, words):
    words = (words,) if isinstance(words, str) else words
    return any(word in " ".join(text.split()) for word in words)


class TestCards:
    @pytest.mark.parametrize("name", CARDS)
    def test_references_are_those_of_the_source(self, name):
        """Each that the source names is listed; one that is listed stands in the source or in the note."""
        card = CARDS[name]
        listed = set(card.get("references", ()))
        assert {key for key, words in IN_SOURCES.items() if named_in(card["source"], words)} <= listed
        everything = card["source"] + " " + card.get("note", "")
        if name.startswith("macro"):  # what the paper of a macro leaves open may come from a program
            everything += (ROOT / "data" / "README.md").read_text(encoding="utf-8")
        assert [key for key in listed if not named_in(everything, IN_SOURCES[key])] == []

    @pytest.mark.parametrize("name", CARDS)
    def test_every_card_has_one(self, name):
        assert bool(CARDS[name].get("references")) == (name.split()[1] not in WITHOUT)

    def test_every_reference_is_used(self):
        used = {key for card in CARDS.values() for key in card.get("references", ())}
        assert used == set(IN_SOURCES)
        assert used | ELSEWHERE == set(known_references())

    def test_specifications_carry_them(self):
        assert rs.device("rram-wan-2022").references == ("wan-2022", "aihwkit", "cimloop")
        assert rs.device("rram-wan-2022").without_errors.references == ("wan-2022", "aihwkit", "cimloop")
        assert rs.macro("star").references[0] == "zhai-2023"
        assert rs.components("isaac-32nm")["crossbar_read"].references == ("shafiee-2016",)


WAN = known_references()["wan-2022"]


class TestText:
    @pytest.mark.parametrize(
        ("key", "text"),
        [
            ("wan-2022", f'W. Wan et al., "{WAN.title}", Nature 608, 504 (2022).'),
            ("yang-2020", 'X. Yang et al., "ReTransformer", ICCAD 2020.'),
            ("kim-2021", 'S. Kim et al., "I-BERT", ICML 2021, arXiv 2101.01321.'),
            ("gong-2022", "N. Gong, M. Rasch et al., IEDM 2022, IEEE 10019569."),
            ("aihwkit", "IBM aihwkit, commit 4545f11b."),
            ("saberi-2011", "M. Saberi et al., 2011, power of capacitive DACs in SAR ADCs."),
        ],
    )
    def test_one_line(self, key, text):
        assert known_references()[key].text == text

    def test_two_authors_and_a_doi(self):
        text = known_references()["alpaydin-kaynak"].text
        assert text.startswith('E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine L')
        assert ", doi 10.24432/C50P49, " in text

    def test_an_entry_for_bibtex(self):
        assert known_references()["joshi-2020"].bibtex == (
            "@article{joshi-2020,\n  author = {V. Joshi and others},\n  journal = {Nature Communications},\n"
            "  volume = {11},\n  pages = {2473},\n  year = {2020}\n}"
        )
        assert known_references()["falcone"].bibtex == (
            "@misc{falcone,\n  author = {D. Falcone and others},\n  eprint = {2502.04524},\n"
            "  archiveprefix = {arXiv}\n}"
        )
        assert "author = {{The rramsim developers}}" in known_references()["rramsim"].bibtex

    def test_signs_of_latex(self):
        """Nothing in a text ends an entry or means anything to LaTeX."""
        text = Reference(key="x", title="50 % & {more}_#1 \\ ^~ $", authors=("A. B_c",)).bibtex
        assert r"title = {{50 \% \& \{more\}\_\#1 \textbackslash{} \textasciicircum{}\textasciitilde{} \$}}" in text
        assert r"author = {A. B\_c}" in text
        assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")

    def test_a_list(self):
        citations = Citations.gathered(["wan-2022", "aihwkit", "wan-2022"])
        assert citations.keys == ("rramsim", "wan-2022", "aihwkit")
        assert str(citations).splitlines()[1] == f"[2] {WAN.text}"
        assert citations.bibtex.count("\n@") + 1 == len(citations) == 3
        assert list(citations)[1] == WAN

    def test_the_version_at_work(self):
        assert known_references()["rramsim"].version == rs.__version__


class TestOnesOwn:
    def test_in_full(self):
        ours = {"key": "lot-7", "authors": ["A. One", "others"], "title": "Our lot", "year": 2026}
        spec = rs.DeviceSpec(references=["wan-2022", ours])
        assert spec.references == ("wan-2022", Reference(**ours))
        assert rs.DeviceSpec(**spec.model_dump(mode="json")) == spec

    def test_in_a_card(self, tmp_path):
        card = tmp_path / "mine.toml"
        card.write_text('references = ["joshi-2020", { key = "lot-7", title = "Our lot" }]\n', encoding="utf-8")
        assert [each if isinstance(each, str) else each.key for each in rs.device(str(card)).references] == [
            "joshi-2020",
            "lot-7",
        ]

    @pytest.mark.parametrize(
        ("references", "sentence"),
        [
            (["wan-2021"], r"references\.0: unknown reference 'wan-2021'; did you mean 'wan-2022'\?"),
            (["nothing of the kind"], "unknown reference .* Known are accelergy-library, "),
            ([{"key": "wan-2022", "title": "Another"}], "the key 'wan-2022' is that of another reference"),
            ([{"key": "lot 7", "title": "Our lot"}], "key: got 'lot 7'"),
            ([{"key": "lot-7"}], "gives authors, a title or a note; got none of them"),
            ([{"key": "lot-7", "titles": "Our lot"}], "titles: unknown key; did you mean 'title'"),
            ([5], r"references\.0: got 5; it is the key of a known reference, or a table of the fields of one"),
            ("wan-2022", "references: got 'wan-2022'; it is a list"),
        ],
    )
    def test_refused(self, references, sentence):
        with pytest.raises(SpecError, match=sentence):
            rs.DeviceSpec(references=references)

    def test_one_key_for_two(self):
        first, second = (Reference(key="lot-7", title=title) for title in ("Our lot", "Their lot"))
        with pytest.raises(SpecError, match="two different references have the key 'lot-7'"):
            Citations.gathered([first, second])


def test_the_files_for_citing_agree():
    """CITATION.cff, the README and what `rramsim cite` prints."""
    ours = known_references()["rramsim"]
    cff = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f'title: "{ours.title}"' in cff
    assert f"name: {project['authors'][0]['name']}" in cff
    assert f"version: {project['version']}" in cff
    assert f"license: {project['license']}" in cff
    assert known_references()["zhai-2023"].title in cff
    printed = re.sub(r"[{}]", "", readme)
    for value in (ours.title, ours.authors[0].strip("{}"), str(ours.year), project["version"]):
        assert value in printed


def test_presets_are_cited():
    """By name, through the one door."""
    for kind in ("devices", "macros", "components"):
        for name in presets(kind):
            assert len(rs.cite(name)) > (name != "ideal")
