"""The JobSet: the fields that its API has, who is who as JAX finds it from what GKE sets, and what gke.py fills in."""

import copy
import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest
import yaml
from jax._src.clusters import cloud_tpu_cluster

LAUNCH = pathlib.Path(__file__).parents[2] / "launch"
OWN = {"name": "n", "image": "i", "bucket": "b", "topology": "8x8", "slices": 1}
# From the API references of jobset.x-k8s.io/v1alpha2, batch/v1 and v1: what an object may have, of what is used here
FIELDS = {
    (): {"apiVersion", "kind", "metadata", "spec"},
    ("spec",): {
        "replicatedJobs",
        "network",
        "successPolicy",
        "failurePolicy",
        "startupPolicy",
        "suspend",
        "coordinator",
        "managedBy",
        "ttlSecondsAfterFinished",
    },
    ("spec", "failurePolicy"): {"maxRestarts", "restartStrategy", "rules"},
    ("spec", "failurePolicy", "rules", 0): {"name", "action", "onJobFailureReasons", "targetReplicatedJobs"},
    ("spec", "replicatedJobs", 0): {"name", "groupName", "template", "replicas", "dependsOn"},
    ("spec", "replicatedJobs", 0, "template"): {"metadata", "spec"},
    ("spec", "replicatedJobs", 0, "template", "spec"): {
        "parallelism",
        "completions",
        "completionMode",
        "backoffLimit",
        "podFailurePolicy",
        "activeDeadlineSeconds",
        "template",
    },
}


def load_gke():
    spec = importlib.util.spec_from_file_location("gke", LAUNCH / "gke.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def manifest() -> dict:
    return yaml.safe_load((LAUNCH / "gke_jobset.yaml").read_text())


def job_of(manifest: dict) -> dict:
    return manifest["spec"]["replicatedJobs"][0]["template"]["spec"]


def test_has_only_fields_that_there_are(manifest):
    assert (manifest["apiVersion"], manifest["kind"]) == ("jobset.x-k8s.io/v1alpha2", "JobSet")
    for path, fields in FIELDS.items():
        node = manifest
        for name in path:
            node = node[name]
        assert node.keys() <= fields, path


def test_a_mistake_ends_it_and_a_stop_starts_it_anew(manifest):
    job, policy = job_of(manifest), manifest["spec"]["failurePolicy"]
    (rule,) = job["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["operator"]) == ("FailJob", "In")
    assert rule["onExitCodes"]["values"] == [2]  # and so neither 0 nor hybridvit.main.STOPPED
    (failing,) = policy["rules"]
    assert (failing["action"], failing["onJobFailureReasons"]) == ("FailJobSet", ["PodFailurePolicy"])
    assert job["backoffLimit"] == 0
    assert policy["maxRestarts"] > 0
    assert job["template"]["spec"]["restartPolicy"] == "Never"  # without it there is no podFailurePolicy
    (container,) = job["template"]["spec"]["containers"]
    assert container["name"] == rule["onExitCodes"]["containerName"]


def test_the_process_gets_the_signal_and_the_machines_are_those_of_the_slice(manifest):
    job = job_of(manifest)
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert container["command"] == ["python", "-m", "hybridvit.main", "--distributed"]
    rows, columns = map(int, pod["nodeSelector"]["cloud.google.com/gke-tpu-topology"].split("x"))
    chips = container["resources"]["limits"]["google.com/tpu"]
    assert job["parallelism"] == job["completions"] == rows * columns // chips
    assert job["completionMode"] == "Indexed"
    ports = {port["containerPort"] for port in container["ports"]}
    assert int(cloud_tpu_cluster.coordinator_port) in ports
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod["volumes"]
    }


@pytest.mark.parametrize("slices", [1, 2])
def test_jax_finds_who_is_who_from_what_gke_sets(monkeypatch, slices):
    """The same for every machine but its number; the names of the hosts are this machine's, to be found."""
    monkeypatch.setattr(cloud_tpu_cluster, "running_in_cloud_tpu_vm", True)
    monkeypatch.setattr(cloud_tpu_cluster, "get_metadata", lambda key: ("", 404))
    cluster = cloud_tpu_cluster.GkeTpuCluster
    monkeypatch.setenv("TPU_WORKER_HOSTNAMES", "localhost,other-1,other-2,other-3")
    if slices > 1:
        monkeypatch.setenv("MEGASCALE_COORDINATOR_ADDRESS", "localhost:8080")
        monkeypatch.setenv("MEGASCALE_NUM_SLICES", str(slices))
    numbers = []
    for part in range(slices):
        monkeypatch.setenv("MEGASCALE_SLICE_ID", str(part))
        for worker in range(4):
            monkeypatch.setenv("TPU_WORKER_ID", str(worker))
            assert cluster.is_env_present()
            assert cluster.get_process_count() == 4 * slices
            assert cluster.get_coordinator_address(5, None) == "localhost:8482"
            numbers.append(cluster.get_process_id())
    assert numbers == list(range(4 * slices))


def test_fills_in(manifest):
    filled = load_gke().fill(
        copy.deepcopy(manifest),
        ["--config=c", "--workdir=runs/a b"],
        **OWN | {"topology": "4x8", "slices": 3},
    )
    job = job_of(filled)
    pod = job["template"]["spec"]
    assert filled["spec"]["replicatedJobs"][0]["replicas"] == 3
    assert job["parallelism"] == job["completions"] == 8
    assert pod["containers"][0]["args"] == ["--config=c", "--workdir=runs/a b"]
    assert pod["volumes"][0]["csi"]["volumeAttributes"]["bucketName"] == "b"
    assert filled.keys() == manifest.keys()


@pytest.mark.parametrize("topology", ["8", "3x3", "x", "0x4"])
def test_names_a_shape_that_is_none(manifest, topology):
    with pytest.raises(ValueError, match=f"--topology={topology}"):
        load_gke().fill(manifest, [], **OWN | {"topology": topology})


@pytest.mark.parametrize("dry", [True, False])
def test_prints_or_applies(tmp_path, dry):
    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\necho "$*" >"$OUT.flags"; cat >"$OUT"\n')
    kubectl.chmod(0o755)
    out = tmp_path / "applied"
    command = [sys.executable, LAUNCH / "gke.py", "--image=i", "--bucket=b", "--config=c", "--mode=eval"]
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "OUT": str(out)}
    done = subprocess.run(
        command + ["--dry-run"] * dry, env=environment, capture_output=True, text=True, check=True
    )
    text = done.stdout if dry else out.read_text()
    assert out.exists() != dry
    (container,) = job_of(yaml.safe_load(text))["template"]["spec"]["containers"]
    assert container["args"] == ["--config=c", "--mode=eval"]
