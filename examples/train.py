"""Trains the example: tumours of scikit-learn's breast-cancer data, a pipeline with scaling and boosting.

    python examples/train.py FOLDER

writes model.joblib, sample.csv (rows like those the model will see) and rows.json (rows it has not seen).
"""

import json
import sys
from pathlib import Path

import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def train(folder: Path, *, seed: int = 0, trees: int = 60) -> float:
    """Train with ``trees`` boosting rounds, write the three files into ``folder``, return the test accuracy."""
    data = load_breast_cancer(as_frame=True)
    names = data.target.map(dict(enumerate(data.target_names)))
    seen, unseen, labels, truth = train_test_split(data.data, names, test_size=0.25, random_state=seed)
    model = make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=trees, random_state=seed))
    model.fit(seen, labels)
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / "model.joblib")
    seen.to_csv(folder / "sample.csv", index=False)
    rows = unseen.head(5).to_dict("records")
    (folder / "rows.json").write_text(json.dumps(rows, indent=2))
    return float(model.score(unseen, truth))


if __name__ == "__main__":
    accuracy = train(Path(sys.argv[1]))
    sys.stdout.write(f"accuracy on unseen rows: {accuracy:.3f}\n")
