"""What the training of the encoder does to texts and weights; skipped where the extra [encoder] is not installed."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.corpus import Example, Label

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnxruntime.quantization")

import amend_encoder  # noqa: E402
import average_encoders  # noqa: E402
import quantized  # noqa: E402
import stand_ins  # noqa: E402
import train_encoder  # noqa: E402

TEXT = "A client called us about her file on a rainy Monday in May. I looked into it for an hour. I called her back with the answer and she was glad of it."
EXAMPLE = Example(
    "x", TEXT, {"level": 2, "involvement": 2, "commitment": 2, "pspc_level": 1}, "external",
    evidence=(Label("1.1", "with the answer"), Label("2.3", "I looked into it for an hour."), Label("2.4", "I called her back")),
)  # fmt: skip


def test_without_the_decisive_act_the_level_is_lower() -> None:
    found = {changed.example.text: changed for seed in range(20) if (changed := stand_ins.with_words_taken_out(EXAMPLE, random.Random(seed)))}
    cut = [changed for text, changed in found.items() if "looked into" not in text]
    whole = [changed for text, changed in found.items() if "looked into" in text]
    assert cut and whole
    for changed in cut:
        assert changed.most == 1 and changed.example.ratings == {"level": 1} and changed.example.client is None
        assert [e.key for e in changed.example.evidence] == ["1.1"]
    for changed in whole:
        assert changed.most == 2 and changed.example.ratings == EXAMPLE.ratings
        assert len(changed.example.evidence) == 3 and len(changed.example.text) < len(TEXT)


def test_evidence_of_another_scale_shows_no_level() -> None:
    other = replace(EXAMPLE, evidence=(*EXAMPLE.evidence, Label("p3.1", "A client called us")))
    changed = [stand_ins.with_words_taken_out(other, random.Random(seed)) for seed in range(20)]
    assert {tuple(stand.example.ratings.items()) for stand in changed if stand and stand.most == 1} == {(("level", 1),)}
    told = stand_ins.decisive_act_of_another(other, random.Random(0))
    assert told and told.example.ratings == {"level": 0}


def test_a_text_of_level_0_or_of_a_pair_stays_whole() -> None:
    nothing = Example("y", TEXT, {"level": 0}, "none")
    paired = Example("z", TEXT, {"level": 2}, "external", evidence=EXAMPLE.evidence, pair="p1")
    assert not any(stand_ins.with_words_taken_out(example, random.Random(seed)) for example in (nothing, paired) for seed in range(5))


def test_told_of_another_the_writer_did_nothing() -> None:
    example = Example("y", "I called her. I'm glad, my client was served, and she thanked me.", {"level": 2, "involvement": 1}, "external")
    found = [stand_ins.told_of_another(example, random.Random(seed)) for seed in range(60)]
    assert all(other and other.most == 0 and other.example.ratings == {"level": 0, "involvement": 0} and other.example.client is None for other in found)
    texts = {other.example.text for other in found if other}
    assert not any(re.search(r"\bI\b|my client|thanked me", text) for text in texts)
    assert "The other agent called her. He is glad, his client was served, and she thanked him." in texts
    assert stand_ins.told_of_another(Example("z", "The client was called.", {"level": 1}, None), random.Random(0)) is None


def test_told_of_the_employee_the_text_keeps_its_level() -> None:
    changed = stand_ins.told_of_the_employee(EXAMPLE, random.Random(1))
    assert changed.ratings == EXAMPLE.ratings and "The employee looked into it for an hour." in changed.text and not changed.evidence


def test_a_decisive_act_of_another_earns_nothing() -> None:
    told = re.compile(
        r"A client called us about her file on a rainy Monday in May\. [A-Z].* looked into it for an hour\. [A-Z].* called her back with the answer"
    )
    for seed in range(40):
        other = stand_ins.decisive_act_of_another(EXAMPLE, random.Random(seed))
        assert other and told.match(other.example.text) and not re.search(r"\bI\b", other.example.text)
        # "with the answer" stands in the same sentence, so it is no longer the writer's either.
        assert other.most == 1 and other.example.ratings == {"level": 0} and other.example.client is None and other.example.evidence == ()
    first = replace(EXAMPLE, text="I gave her the address. " + TEXT, evidence=(*EXAMPLE.evidence, Label("1.2", "gave her the address")))
    other = stand_ins.decisive_act_of_another(first, random.Random(0))
    assert other and other.example.ratings == {"level": 1} and [e.key for e in other.example.evidence] == ["1.2"]
    assert stand_ins.decisive_act_of_another(replace(EXAMPLE, evidence=(Label("2.3", "A client called us"),)), random.Random(0)) is None


def test_of_a_pair_the_text_with_the_flag_must_hold_it_more() -> None:
    batch = [train_encoder.Item(Example(str(i), TEXT, {"level": 2}, None, pair=pair), [0], None, None, 1.0) for i, pair in enumerate(("p", "p", "q"))]
    key = train_encoder.keys().index("gives-up")
    held, low, high = (torch.zeros(3, len(train_encoder.keys())) for _ in range(3))
    held[0, key], low[0, key], high[0, key] = 1, -3, 3
    assert train_encoder.flag_pair_loss(high, held, batch) < train_encoder.flag_pair_loss(low, held, batch)
    assert train_encoder.flag_pair_loss(high, held[[1, 1, 0]], batch) == 0


def test_the_average_counts_missing_scores_as_zero() -> None:
    first, second = {"a": torch.tensor([2.0, 4.0])}, {"a": torch.tensor([4.0, 8.0, 10.0])}
    assert average_encoders.averaged(first, second, 0.75)["a"].tolist() == [3.5, 7.0, 7.5]


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


def test_statements_of_a_dictionary_are_ordered_by_the_loss() -> None:
    def items(*levels: int) -> list[train_encoder.Item]:
        return [train_encoder.Item(EXAMPLE, [0], None, None, 1.0, rank=level) for level in levels]

    rising, falling = torch.tensor([[-3.0] * 19, [-1.0] * 19]), torch.tensor([[-1.0] * 19, [-3.0] * 19])
    assert train_encoder.ladder_loss(rising, items(1, 2)) < train_encoder.ladder_loss(falling, items(1, 2))


def test_scores_that_a_lesson_lowered_everywhere_get_their_mean_back() -> None:
    class Scores:
        document = torch.nn.Linear(3, 2)

    before = Scores.document.bias.detach().clone()
    amend_encoder.keep_the_mean(Scores, np.array([[1.0, 0.0], [3.0, 0.0]]), np.array([[0.0, 0.0], [2.5, 0.5]]))
    assert torch.allclose(Scores.document.bias - before, torch.tensor([0.75, -0.25]))
