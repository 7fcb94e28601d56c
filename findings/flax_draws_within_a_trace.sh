#!/usr/bin/env bash
# Flax 0.12.8 under JAX 0.10.2: each draw from an nnx.Rngs within a trace (nnx.eval_shape, jit) makes JAX word two error
# messages that nobody sees. Setting the stream's counter asks the traced value for its `sharding`, which it has not; the
# AttributeError tells where the value came from, for which all that was traced so far is walked through. So the time to
# build a module abstractly grows with the square of its layers.
# Seen: {50: 100, 100: 200, 200: 400} messages for so many draws; four times the draws took 7 times the time.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check flax==0.12.8 jax==0.10.2 jaxlib==0.10.2
cd "$folder"
JAX_PLATFORMS=cpu "$folder/env/bin/python" - <<'PYTHON'
import time

import jax
from flax import nnx
from jax._src.interpreters import partial_eval

counted = 0
word = partial_eval.DynamicJaxprTracer._origin_msg


def counting(self):
    global counted
    counted += 1
    return word(self)


partial_eval.DynamicJaxprTracer._origin_msg = counting
messages, seconds = {}, {}
for draws in (50, 100, 200):
    counted, start = 0, time.process_time()

    def build(draws=draws):
        rngs = nnx.Rngs(0)
        return [jax.random.normal(rngs.params(), (4,)) for _ in range(draws)]

    jax.eval_shape(build)
    messages[draws], seconds[draws] = counted, time.process_time() - start
print(messages, {draws: round(took, 2) for draws, took in seconds.items()})
assert all(messages[draws] >= draws for draws in messages), "a draw words no message now"
PYTHON
