#!/usr/bin/env bash
# mlflow-skinny 3.17.2 does not write runs to a folder without MLFLOW_ALLOW_FILE_STORE=true, and asks for a database
# instead: sqlite:///mlflow.db. That one it cannot open: it comes without SQLAlchemy, and says that the scheme is unknown.
# Seen: refused: 'sqlite:///mlflow.db' / refused: unsupported URI / with the variable: a run
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check mlflow-skinny==3.17.2
cd "$folder"
unset MLFLOW_TRACKING_URI MLFLOW_ALLOW_FILE_STORE
cat >run.py <<'PYTHON'
import sys

from mlflow import MlflowClient

try:
    client = MlflowClient(tracking_uri=sys.argv[1])
    run = client.create_run(client.create_experiment("x"))
    client.log_metric(run.info.run_id, "loss", 1.0)
    print("a run")
except Exception as error:
    print("refused:", error)
PYTHON
store=$("$folder/env/bin/python" run.py "file://$folder/mlruns" 2>&1)
database=$("$folder/env/bin/python" run.py sqlite:///mlflow.db 2>&1)
allowed=$(MLFLOW_ALLOW_FILE_STORE=true "$folder/env/bin/python" run.py "file://$folder/mlruns" 2>&1)
printf '%s\n---\n%s\n---\n%s\n' "$store" "$database" "$allowed"
grep -q "refused: .*sqlite:///mlflow.db" <<<"$store" || { echo "the folder is taken now, or other advice given"; exit 1; }
grep -q "refused: .*unsupported URI 'sqlite:///mlflow.db'" <<<"$database" || { echo "the database is opened now, or said otherwise"; exit 1; }
grep -q "^a run$" <<<"$allowed" || { echo "the variable does not help any more"; exit 1; }
