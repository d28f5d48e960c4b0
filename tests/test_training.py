"""What the training of the encoder does to texts and weights; skipped where the extra [encoder] is not installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from classifier.corpus import Example, Label, read_corpus
from classifier.encoder import Encoder, text_hash

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnxruntime.quantization")

import amend_encoder  # noqa: E402
import average_encoders  # noqa: E402
import average_unseen  # noqa: E402
import quantized  # noqa: E402
import train_encoder  # noqa: E402

TEXT = "A client called us about her file on a rainy Monday in May. I looked into it for an hour. I called her back with the answer and she was glad of it."
EXAMPLE = Example(
    "x", TEXT, {"level": 2, "involvement": 2, "commitment": 2, "pspc_level": 1}, "external",
    evidence=(Label("1.1", "with the answer"), Label("2.3", "I looked into it for an hour."), Label("2.4", "I called her back")),
)  # fmt: skip


def test_of_a_pair_the_text_with_the_flag_must_hold_it_more() -> None:
    batch = [train_encoder.Item(Example(str(i), TEXT, {"level": 2}, None, pair=pair), [0], None, None, 1.0) for i, pair in enumerate(("p", "p", "q"))]
    key = train_encoder.keys().index("gives-up")
    held, low, high = (torch.zeros(3, len(train_encoder.keys())) for _ in range(3))
    held[0, key], low[0, key], high[0, key] = 1, -3, 3
    assert train_encoder.flag_pair_loss(high, held, batch) < train_encoder.flag_pair_loss(low, held, batch)
    assert train_encoder.flag_pair_loss(high, held[[1, 1, 0]], batch) == 0


def test_weights_are_averaged_by_their_shares() -> None:
    parts = [({"a": torch.tensor([2.0, 4.0])}, 0.25), ({"a": torch.tensor([4.0, 8.0])}, 0.5), ({"a": torch.tensor([0.0, 2.0])}, 0.25)]
    assert average_encoders.averaged(parts)["a"].tolist() == [2.5, 5.5]


def test_scores_of_unseen_texts_are_averaged() -> None:
    document, tokens = average_encoders.mean_scores([(np.array([1.0, 2.0]), np.zeros((3, 2))), (np.array([3.0, 0.0]), np.ones((3, 2)))])
    assert document.tolist() == [2.0, 1.0] and tokens.tolist() == [[0.5, 0.5]] * 3


def test_what_several_encoders_say_of_the_corpus_is_averaged_by_their_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corpus").mkdir()
    lines = Path("corpus/en/t10.jsonl").read_text("utf-8").split("\n")[:2]
    (tmp_path / "corpus" / "t10.jsonl").write_text("\n".join(lines), "utf-8")
    texts = [e.text for e in read_corpus(tmp_path / "corpus")]
    shipped = Encoder(Path("models/en/encoder"))
    read = [shipped.encode_one(text) for text in texts]
    size = len(shipped.document_scores)
    for name, known, score in (("one", texts, 1.0), ("two", texts[:1], 5.0)):
        (tmp_path / name).mkdir()
        for file in ("encoder.json", "tokenizer.json"):
            shutil.copy(shipped.folder / file, tmp_path / name)
        said = {text_hash(t): (np.full(size, score), np.full_like(e.tokens, score)) for t, e in zip(texts, read, strict=True) if t in known}
        train_encoder.save_unseen(tmp_path / name / "unseen.npz", said)
    out = tmp_path / "one"
    monkeypatch.setattr("sys.argv", ["", str(out), "--of", str(out), "1", "--of", str(tmp_path / "two"), "3", "--corpus", str(tmp_path / "corpus")])
    average_unseen.main()
    both, one = Encoder(out).unseen(texts)
    assert set(both.document) == {4.0} and set(both.tokens.flat) == {4.0}
    assert set(one.document) == {1.0} and set(one.tokens.flat) == {1.0}


def test_a_smoothed_layer_gives_the_same_numbers() -> None:
    class Tiny(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList([torch.nn.Linear(4, 3), torch.nn.Linear(3, 2)])

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            x = torch.nn.functional.one_hot(ids, 4).float() * torch.tensor([100.0, 1.0, 0.1, 5.0])
            return self.layers[1](self.layers[0](x))

    torch.manual_seed(0)
    tiny, ids = Tiny(), torch.tensor([[0, 1, 2, 3]])
    changed = quantized.smoothed(tiny, [[0, 1], [2, 3]])
    assert torch.allclose(tiny(ids), changed(ids), rtol=1e-4)
    assert isinstance(changed.layers[0], quantized.Smoothed)
    # The input of large values is divided by more than the small one.
    inverse = changed.layers[0].inverse
    assert inverse[0] < inverse[1] < inverse[2]


def test_quantized_weights_are_read_back(tmp_path: Path) -> None:
    class Tiny(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList([torch.nn.ModuleDict({name: torch.nn.Linear(16, 16) for name in "qkv"})])
            self.document, self.tokens = torch.nn.Linear(16, 3), torch.nn.Linear(16, 2)

        def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            x = torch.nn.functional.one_hot(ids % 16, 16).float() * torch.linspace(1, 4, 16)
            x = sum((self.layers[0][name](x) for name in "qkv"), x).tanh()
            return self.document(x.mean(1)), self.tokens(x)

    torch.manual_seed(0)
    tiny = Tiny()
    quantized.write_quantized(tiny, [list(range(37))], tmp_path / "encoder.onnx")
    weights = tiny.state_dict()
    found = quantized.read_quantized(tmp_path / "encoder.onnx", {name: torch.zeros_like(value) for name, value in weights.items()})
    assert set(found) == set(weights)
    for name, value in weights.items():
        assert torch.allclose(found[name], value, atol=0.03 * float(value.abs().max())), name
    zeros = {name: torch.zeros_like(value) for name, value in weights.items()}
    trained = quantized.read_trained(tmp_path / "encoder.onnx", zeros, 1)
    assert {name for name, value in trained.items() if torch.equal(value, zeros[name])} == {name for name in weights if name.startswith("layers.0.")}
    # The heads, whose few columns some processors get wrong in 8 bits, are written as they are.
    assert all(torch.equal(found[f"{head}.weight"], weights[f"{head}.weight"]) for head in ("document", "tokens"))


def test_an_amended_encoder_is_held_to_what_it_said() -> None:
    class Still:
        cuts = 2

        def __init__(self, document: list[float], tokens: list[float]) -> None:
            self.said = torch.tensor([document]), torch.tensor([[tokens]])

        def upper(self, *_: object) -> tuple[torch.Tensor, torch.Tensor]:
            return self.said

    item = train_encoder.Item(EXAMPLE, [0], None, None, 1.0, hidden=torch.zeros(1, 2, dtype=torch.bfloat16))
    before = Still([2.0, -1.0, 0.5, 0.0], [1.0, -3.0])
    same = amend_encoder.kept_loss(before, before, [item], words=4)
    for other in (Still([1.0, -1.0, 0.5, 0.0], [1.0, -3.0]), Still([2.0, -1.0, 0.0, 0.5], [1.0, -3.0]), Still([2.0, -1.0, 0.5, 0.0], [1.0, 0.0])):
        assert amend_encoder.kept_loss(other, before, [item], words=4) > same
    # The client is learned from its label, the first one, whatever was said of it before.
    assert amend_encoder.kept_loss(Still([2.0, -1.0, 3.0, 0.0], [1.0, -3.0]), before, [item], words=4) < same


def test_told_of_the_employee_a_text_is_held_to_what_it_was_in_the_first_person() -> None:
    class Echo:
        """Says of a text what its first token holds."""

        cuts = 2

        def __init__(self) -> None:
            self.scale = torch.nn.Parameter(torch.ones(()))

        def upper(self, hidden: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self.scale * hidden[:, 0].float(), self.scale * hidden.float()[..., :2]

    def item(*scores: float, stand_in: train_encoder.Item | None = None) -> train_encoder.Item:
        return train_encoder.Item(EXAMPLE, [0], None, None, 1.0, hidden=torch.tensor([scores], dtype=torch.bfloat16), stand_in=stand_in)

    echo, original = Echo(), item(2.0, -1.0, 0.5, 0.0)
    told, off = item(2.0, -1.0, 0.5, 0.0, stand_in=original), item(-2.0, 1.0, 0.0, 3.0, stand_in=original)
    assert amend_encoder.kept_loss(echo, echo, [off], words=0) > amend_encoder.kept_loss(echo, echo, [told], words=0)
    assert amend_encoder.kept_loss(echo, echo, [off], words=9) == amend_encoder.kept_loss(echo, echo, [off], words=0)
    amend_encoder.kept_loss(echo, echo, [off, original], words=4).backward()
    assert echo.scale.grad is not None


def test_statements_of_a_dictionary_are_ordered_by_the_loss() -> None:
    def items(*levels: int) -> list[train_encoder.Item]:
        return [train_encoder.Item(EXAMPLE, [0], None, None, 1.0, rank=level) for level in levels]

    rising, falling = torch.tensor([[-3.0] * 19, [-1.0] * 19]), torch.tensor([[-1.0] * 19, [-3.0] * 19])
    assert train_encoder.ladder_loss(rising, items(1, 2)) < train_encoder.ladder_loss(falling, items(1, 2))


def test_scores_that_a_lesson_lowered_everywhere_get_their_mean_back_but_for_the_client() -> None:
    class Scores:
        document, cuts = torch.nn.Linear(3, 3), 2

    before = Scores.document.bias.detach().clone()
    amend_encoder.keep_the_mean(Scores, np.array([[1.0, 0.0, 2.0], [3.0, 0.0, 2.0]]), np.array([[0.0, 0.0, 0.0], [2.5, 0.5, 0.0]]))
    assert torch.allclose(Scores.document.bias - before, torch.tensor([0.75, -0.25, 0.0]))
