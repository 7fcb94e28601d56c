#!/usr/bin/env bash
# onnxruntime 1.32.0 with "session.set_denormal_as_zero" sets the floating-point control register of the thread that
# calls it and leaves it so: from the session's creation on, all that this thread computes elsewhere flushes numbers
# below 2.2e-308 to zero. Threads that were there before, or that call no session, are as they were.
# Seen, of whether 1e-310 is other than 0:
# {'before': True, 'after the session': False, 'after a run': False, 'another thread': True}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import threading

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

graph = helper.make_graph(
    [helper.make_node("Relu", ["x"], ["y"])],
    "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
small = float("1e-310")
NAMES = ("before", "after the session", "after a run", "another thread")
seen, ask, answered = {}, threading.Event(), threading.Event()


def other():
    ask.wait()
    seen["another thread"] = small != 0
    answered.set()


threading.Thread(target=other, daemon=True).start()
seen["before"] = small != 0
options = onnxruntime.SessionOptions()
options.add_session_config_entry("session.set_denormal_as_zero", "1")
session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
seen["after the session"] = small != 0
session.run(None, {"x": np.ones(1, np.float32)})
seen["after a run"] = small != 0
ask.set()
answered.wait()
print({name: seen[name] for name in NAMES})
assert [seen[name] for name in NAMES] == [True, False, False, True], "it behaves otherwise now"
PYTHON
