"""The recipes in docs/batch.md are run as they are printed, where their engine is installed."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from classifier.assessor import Assessor
from classifier.batch import score_frame
from classifier.contract import COLUMNS

TEXTS = [
    "A taxpayer asked for the due date of his return. I looked into his file, found the error and called him back the next day.",
    "A client wrote that her form, which she had sent twice, was lost. I searched for it, found it in another section and told her so.",
    "",
    "too short",
]
NEEDED = {"spark": "pyspark", "ray": "ray"}


def recipe(root: Path, name: str) -> str:
    found = re.search(rf"^```python {name}\n(.*?)^```", (root / "docs" / "batch.md").read_text("utf-8"), re.M | re.S)
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize("name", ["spark", "ray"])
def test_a_recipe_gives_the_same_values(root: Path, tmp_path: Path, assessor: Assessor, name: str) -> None:
    if importlib.util.find_spec(NEEDED[name]) is None:
        pytest.skip(f"{NEEDED[name]} is not installed (pip install {NEEDED[name]})")
    if name == "spark" and shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is none")
    frame = pd.DataFrame({"id": [f"r{i}" for i in range(len(TEXTS))], "answer": TEXTS})
    frame.to_csv(tmp_path / "exported.csv", index=False)
    (tmp_path / "recipe.py").write_text(recipe(root, name), "utf-8")
    environment = os.environ | {
        "PYTHONPATH": str(root), "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1",
        "RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    }  # fmt: skip
    done = subprocess.run([sys.executable, "recipe.py"], cwd=tmp_path, env=environment, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    scored = pd.read_parquet(tmp_path / "scored").sort_values("id", ignore_index=True)
    expected = score_frame(frame, assessor, "answer")
    assert list(scored.columns) == ["id", "answer", *COLUMNS]
    for column in COLUMNS:
        assert [None if pd.isna(v) else v for v in scored[column]] == [None if pd.isna(v) else v for v in expected[column]], column
