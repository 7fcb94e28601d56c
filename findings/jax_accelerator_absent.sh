#!/usr/bin/env bash
# JAX 0.10.2 has no words for `JAX_PLATFORMS=cuda` where no CUDA plugin is installed: jax.devices() raises an
# AssertionError that is empty. Of a platform that does not exist it says which ones are known.
# Seen: {'cuda': ('AssertionError', ''), 'abacus': ('RuntimeError', "Unable to initialize backend 'abacus': Backend ...")}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2
cd "$folder"
cat >ask.py <<'PYTHON'
import jax

try:
    jax.devices()
except Exception as error:
    print((type(error).__name__, str(error)))
PYTHON
"$folder/env/bin/python" - <<'PYTHON'
import ast
import os
import subprocess
import sys

said = {}
for platform in ("cuda", "abacus"):
    environment = os.environ | {"JAX_PLATFORMS": platform}
    done = subprocess.run([sys.executable, "ask.py"], env=environment, capture_output=True, text=True, check=True)
    said[platform] = ast.literal_eval(done.stdout)
print(said)
assert said["cuda"] == ("AssertionError", ""), "JAX says more of a missing CUDA plugin now, or there is one"
assert said["abacus"][0] == "RuntimeError" and "'abacus' is not in the list of known backends" in said["abacus"][1]
PYTHON
