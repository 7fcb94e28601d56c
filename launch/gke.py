"""Starts launch/gke_jobset.yaml, filled in, on the cluster that kubectl is set up for.

    python launch/gke.py --image=REGISTRY/hybridvit --bucket=my-runs --config=configs/ssl_vit.py:imagenet
    python launch/gke.py --dry-run ...                   prints the manifest instead
    kubectl logs --follow --selector=jobset.sigs.k8s.io/jobset-name=hybridvit,batch.kubernetes.io/job-completion-index=0
    kubectl delete jobset hybridvit                      the processes save first

All flags but its own go to `python -m hybridvit.main`.
"""

import argparse
import math
import pathlib
import re
import subprocess
import sys
from typing import Any

import yaml

MANIFEST = pathlib.Path(__file__).with_name("gke_jobset.yaml")
CHIPS_A_MACHINE = 4


def fill(
    manifest: dict[str, Any],
    flags: list[str],
    *,
    name: str,
    image: str,
    bucket: str,
    topology: str,
    slices: int,
) -> dict[str, Any]:
    """The manifest with the container's arguments, its image, the bucket, and as many slices of that shape.

    Raises ValueError for a shape that is none, or that has no whole number of machines.
    """
    if not re.fullmatch(r"\d+x\d+(x\d+)?", topology):
        raise ValueError(f"--topology={topology} is no shape of a slice: give one such as 4x8")
    machines, rest = divmod(math.prod(map(int, topology.split("x"))), CHIPS_A_MACHINE)
    if rest or not machines or slices < 1:
        raise ValueError(
            f"--topology={topology} --slices={slices}: machines have {CHIPS_A_MACHINE} chips each"
        )
    manifest["metadata"]["name"] = name
    replicated = manifest["spec"]["replicatedJobs"][0]
    replicated["replicas"] = slices
    job = replicated["template"]["spec"]
    job["parallelism"] = job["completions"] = machines
    pod = job["template"]["spec"]
    pod["nodeSelector"]["cloud.google.com/gke-tpu-topology"] = topology
    pod["containers"][0] |= {"image": image, "args": flags}
    pod["volumes"][0]["csi"]["volumeAttributes"]["bucketName"] = bucket
    return manifest


def main() -> None:
    """Parses the flags, prints or applies; a mistake ends in one line and exit code 2."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="print the manifest only")
    parser.add_argument("--name", default="hybridvit", help="of the JobSet (hybridvit)")
    parser.add_argument("--image", required=True, help="made from launch/Dockerfile")
    parser.add_argument("--bucket", required=True, help="of Cloud Storage, for the work folders")
    parser.add_argument("--topology", default="8x8", help="chips of a v5e slice (8x8)")
    parser.add_argument("--slices", type=int, default=1, help="(1)")
    own, flags = parser.parse_known_args()
    filled = vars(own)
    dry = filled.pop("dry_run")
    try:
        manifest = fill(yaml.safe_load(MANIFEST.read_text()), flags, **filled)
    except ValueError as error:
        sys.exit(print("gke.py:", error, file=sys.stderr) or 2)
    text = yaml.safe_dump(manifest, sort_keys=False, width=120)
    if dry:
        print(text, end="")
        return
    try:
        applied = subprocess.run(["kubectl", "apply", "-f", "-"], input=text, text=True)
    except FileNotFoundError:
        sys.exit(
            print("gke.py: kubectl is not installed: see kubernetes.io/docs/tasks/tools", file=sys.stderr)
            or 2
        )
    sys.exit(applied.returncode)


if __name__ == "__main__":
    main()
