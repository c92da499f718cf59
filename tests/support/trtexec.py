# SPDX-License-Identifier: Apache-2.0
"""What stands where TensorRT would, to test what the project does around it.

The options are those that `trtexec --help` prints, read in the sources of two releases:
samples/common/sampleOptions.cpp of github.com/NVIDIA/TensorRT, 10.0.1 (commit 362a6257) and 11.1.0
(commit d5883286). trtexec fails with any other one. Its first line is `&&&& RUNNING
TensorRT.trtexec [TensorRT v<major * 10000 + minor * 100 + patch>] ...`, before its help too.
"""

import json
import os
import sys
from pathlib import Path

_BOTH = """
    onnx minShapes optShapes maxShapes inputIOFormats outputIOFormats memPoolSize profilingVerbosity
    avgTiming refit stripWeights versionCompatible vc pluginInstanceNorm pi useRuntime leanDLLPath
    excludeLeanRuntime sparsity noTF32 stronglyTyped directIO layerDeviceTypes safe
    buildDLAStandalone allowGPUFallback consistency saveEngine loadEngine getPlanVersionOnly
    tacticSources noBuilderCache noCompilationCache errorOnTimingCacheMiss timingCacheFile preview
    builderOptimizationLevel hardwareCompatibilityLevel tempdir tempfileControls maxAuxStreams
    profile allowWeightStreaming markDebug device useDLACore staticPlugins dynamicPlugins
    setPluginsToSerialize ignoreParsedPluginLibs shapes loadInputs iterations warmUp duration
    sleepTime idleTime infStreams exposeDMA noDataTransfers useManagedMemory useSpinWait threads
    useCudaGraph timeDeserialize timeRefit separateProfileRun skipInference persistentCacheRatio
    useProfile allocationStrategy saveDebugTensors weightStreamingBudget verbose avgRuns percentile
    dumpRefit dumpOutput dumpRawBindingsToFile dumpProfile dumpLayerInfo dumpOptimizationProfile
    exportTimes exportOutput exportProfile exportLayerInfo help
"""
_ONLY_10 = """
    minShapesCalib optShapesCalib maxShapesCalib weightless fp16 bf16 int8 fp8 best
    precisionConstraints layerPrecisions layerOutputTypes calib restricted calibProfile
"""
_ONLY_11 = """
    stripAllWeights uint8AsymmetricQuantizationDLA reportCapabilityDLA adjustForDLA
    enablePluginOverride monitorMemory decomposableAttentions dumpKernelText asyncFileReader
    maxTactics runtimePlatform markUnfusedTensorsAsDebugTensors tilingOptimizationLevel
    l2LimitForTiling remoteAutoTuningConfig refitFromOnnx cpuOnly safetyPlugins loadRefOutputs
    includeDataTransfers noSpinWait noCudaGraph accuracyAlgorithm atol rtol accuracyThreshold
    refPair saveAllDebugTensors tuneBuildRoutes tuneBuildRouteFile tuningSearch tuningCacheFile
    tuningTimeOut saveAllEngines dryRun continue helpBuildRoute setBuildRoute
"""
OPTIONS = {
    10: frozenset(f"--{name}" for name in (_BOTH + _ONLY_10).split()),
    11: frozenset(f"--{name}" for name in (_BOTH + _ONLY_11).split()),
}
NUMBERS = {10: 100001, 11: 110100}
"""As in the first line: 10.0.1 and 11.1.0."""
VERSIONS = {10: "10.0.1", 11: "11.1.0"}
GPU_LINE = "NVIDIA H200, 9.0"

_TRTEXEC = """#!{python}
import os, sys, time
options = set({options!r})
print("&&&& RUNNING TensorRT.trtexec [TensorRT v{number}] # " + " ".join(sys.argv))
given = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
if "--help" in given:
    print("=== Model Options ===")
    sys.exit(0)
open({calls!r}, "a").write(repr(sys.argv[1:]) + "\\n")
unknown = sorted(given.keys() - options)
for option in unknown:
    print("[E] Unknown option: " + option)
if unknown or not os.path.isfile(given["--onnx"]):
    sys.exit(1)
{before_saving}
with open(given["--saveEngine"], "wb") as engine:
    engine.write(b"not an engine")
with open(given["--timingCacheFile"], "ab") as cache:
    cache.write(b"timed")
"""
_NVIDIA_SMI = """#!{python}
import sys
assert sys.argv[1:] == ["--query-gpu=name,compute_cap", "--format=csv,noheader"], sys.argv
print({answer!r})
"""
# The real Triton of the wheel, with the arguments of the real script; only the model is the Python
# backend's, since this Triton has no TensorRT.
_TRITONSERVER = """#!{python}
import os, pathlib, sys
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2
from trireel_backend.launch.embedded import wheel
flags = dict(argument.removeprefix("--").partition("=")[::2] for argument in sys.argv[1:])
(model,) = pathlib.Path(flags["model-repository"]).iterdir()
config = text_format.Parse((model / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())
assert config.backend == "tensorrt", config.backend
assert (model / "1/model.plan").read_bytes() == b"not an engine"
config.backend = "python"
config.ClearField("optimization")
config.ClearField("model_warmup")  # batches for a GPU
config.instance_group[0].kind = config.instance_group[0].KIND_CPU
for name, value in dict(threads="2", providers="CPUExecutionProvider").items():
    config.parameters[name].string_value = value
(model / "config.pbtxt").write_text(text_format.MessageToString(config))
for name in ("vision.onnx", "vision.onnx.data", "model.onnx", "weights.bin"):
    if (pathlib.Path({tower!r}) / name).is_file():
        (model / "1" / name.replace("vision", "model")).symlink_to(pathlib.Path({tower!r}) / name)
found = wheel.find_wheel()
wheel.make_backend_folder(found, model.parent.parent / "backends")
backends = f"--backend-directory={{model.parent.parent / 'backends'}}"
os.execve(found.server, ["tritonserver", *sys.argv[1:], backends], wheel.server_environment(found))
"""


def _write_program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def write_tools(
    folder: Path, major: int = 11, gpus: str = GPU_LINE, before_saving: str = ""
) -> Path:
    """Write `trtexec` and `nvidia-smi` into a folder and return where calls are noted down.

    Args:
        gpus: what nvidia-smi answers.
        before_saving: Python lines that trtexec runs before it writes its engine.
    """
    folder.mkdir(exist_ok=True)
    calls = folder / "calls"
    trtexec = _TRTEXEC.format(
        python=sys.executable,
        options=sorted(OPTIONS[major]),
        number=NUMBERS[major],
        calls=str(calls),
        before_saving=before_saving,
    )
    _write_program(folder / "trtexec", trtexec)
    smi = _NVIDIA_SMI.format(python=sys.executable, answer=gpus)
    _write_program(folder / "nvidia-smi", smi)
    return calls


def write_tritonserver(folder: Path, tower: Path) -> Path:
    """Write a `tritonserver` that serves the ONNX file of a folder as if it were the engine."""
    folder.mkdir(exist_ok=True)
    text = _TRITONSERVER.format(python=sys.executable, tower=str(tower))
    return _write_program(folder / "tritonserver", text)


def tools_environment(folder: Path) -> dict[str, str]:
    """Return an environment in which the tools of a folder are the ones on PATH."""
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def set_precision(export: Path, precision: str) -> None:
    """Write another precision into an export's metadata."""
    path = export / "metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "precision": precision}))
