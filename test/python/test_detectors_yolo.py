"""YOLO with ultralytics: accepted files, detections, training a small one, and no side effects on the process."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import signal
import sys
import types
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from helpers import REPO, prepared, run_context, run_python, small_dataset
from onnx_graphs import constant, field, model, node
from PIL import Image
from torch import Tensor

from cliprpn.contract.generated import ProgressEvent, TrainedYoloDetector, WarningEvent
from cliprpn.data.images import MAX_PIXELS, ImageFile, load_image
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.detectors import train_yolo as train_yolo_module
from cliprpn.detectors.proposals import Proposals
from cliprpn.detectors.train_yolo import find_trained_yolo, train_yolo
from cliprpn.detectors.ultralytics_env import quiet_ultralytics
from cliprpn.detectors.yolo import UltralyticsYolo, open_yolo
from cliprpn.detectors.yolo_data import LabeledImage, measure_recall, split_image_rows
from cliprpn.errors import CliprpnError

pytestmark = [
    pytest.mark.usefixtures("no_traces"),
    pytest.mark.skipif(find_spec("ultralytics") is None, reason="ultralytics is not installed"),
]
SHARED = REPO.parent / "shared" / "data"
CPU = torch.device("cpu")
RECIPE = TrainedYoloDetector(
    kind="trained_yolo", architecture="yolov8p", num_epochs=2, image_size_px=64, batch_size=4, seed=0
)
# RECIPE on the eight images that train.
BATCHES_PER_EPOCH, BATCHES = 2, 4


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("yolo")


@pytest.fixture(scope="module")
def index(cache: Path) -> DatasetIndex:
    return open_dataset(*prepared(small_dataset(cache / "data"), cache))


@pytest.fixture(scope="module")
def untrained(cache: Path) -> Path:
    """A .pt of two classes with random weights."""
    return save_untrained(cache, "untrained.pt", "detect")


def save_untrained(cache: Path, name: str, task: str) -> Path:
    path = cache / name
    with quiet_ultralytics(cache):
        from ultralytics.nn.tasks import DetectionModel, SegmentationModel

        from cliprpn.detectors.yolo_trainer import describe_architecture, minimal_checkpoint

        torch.manual_seed(0)
        description = describe_architecture("yolov8p")
        if task == "segment":
            description["head"][-1][2:] = ["Segment", ["nc", 32, 256]]
        detector = (DetectionModel if task == "detect" else SegmentationModel)(
            description, nc=2, verbose=False
        )
        detector.names = {0: "cat", 1: "dog"}
        content = minimal_checkpoint(detector, 64)
        content["train_args"]["task"] = detector.task = task
        torch.save(content, path)
    return path


def open_file(file: Path, cache: Path, trusted: bool = True, size: int | None = None) -> UltralyticsYolo:
    return open_yolo(file, size, 0.0, 0.95, 20, CPU, cache, trusted)


def noise(height: int, width: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 255, (3, height, width), dtype=torch.uint8, generator=generator)


def test_detections_do_not_depend_on_other_images_in_the_batch(untrained: Path, cache: Path) -> None:
    detector = open_file(untrained, cache)
    assert detector.classes == ["cat", "dog"]
    images = [noise(48, 64, 0), noise(64, 30, 1), noise(48, 64, 2), noise(1, 90, 3)]
    for image, proposals in zip(images, detector.detect(images), strict=True):
        alone = detector.detect([image])[0]
        assert len(alone) > 0
        # The order of summation in a convolution depends on the batch: 1e-5 px measured.
        torch.testing.assert_close(proposals.boxes_xyxy, alone.boxes_xyxy, rtol=0, atol=1e-3)
        torch.testing.assert_close(proposals.scores, alone.scores, rtol=0, atol=1e-5)
        height, width = image.shape[1:]
        assert (proposals.boxes_xyxy >= 0).all()
        assert (proposals.boxes_xyxy <= torch.tensor([width, height, width, height])).all()
        assert proposals.scores.tolist() == sorted(proposals.scores.tolist(), reverse=True)
        assert set(proposals.categories) <= {"cat", "dog"}


def test_thresholds_and_max_boxes_limit_detections(untrained: Path, cache: Path) -> None:
    image = noise(64, 64, 0)
    proposals = open_file(untrained, cache).detect([image])[0]
    assert len(proposals) == 20
    thresh = float(proposals.scores[9:11].mean())
    likely = open_yolo(untrained, None, thresh, 0.95, 20, CPU, cache, True).detect([image])[0]
    assert torch.equal(likely.boxes_xyxy, proposals.boxes_xyxy[: len(likely)])
    assert (likely.scores > thresh).all()
    assert 0 < len(likely) < 20
    apart = open_yolo(untrained, None, 0.0, 0.1, 20, CPU, cache, True).detect([image])[0]
    assert 0 < len(apart) < 20


def test_a_pt_is_loaded_only_if_trusted(cache: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(cache / "ran"),)

    path = cache / "bomb.pt"
    torch.save({"model": Bomb()}, path)
    with pytest.raises(CliprpnError, match=r"--trust-weights.*\.onnx") as error:
        open_file(path, cache, trusted=False)
    assert error.value.code == "weights_unsafe"
    assert not (cache / "ran").exists()


def test_a_yolo_of_the_yolov5_repository_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("models.yolo")
    module.Model = type("Model", (), {"__module__": "models.yolo"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "models", types.ModuleType("models"))
    monkeypatch.setitem(sys.modules, "models.yolo", module)
    path = cache / "yolov5s.pt"  # For this name ultralytics would download another file.
    torch.save({"model": module.Model()}, path)
    monkeypatch.undo()
    with pytest.raises(CliprpnError, match=r"yolov5su\.pt.*COCO results JSON") as error:
        open_file(path, cache)
    assert error.value.code == "weights_mismatch"


def test_other_files_than_a_yolo_for_detection_are_refused(untrained: Path, cache: Path) -> None:
    truncated = cache / "truncated.pt"
    truncated.write_bytes(untrained.read_bytes()[:10_000])
    (cache / "empty.pt").write_bytes(b"")
    (cache / "empty.onnx").write_bytes(b"")
    (cache / "junk.onnx").write_bytes(os.urandom(999))
    torch.save({"model": {"weight": torch.ones(1)}}, cache / "state.pt")
    segment = save_untrained(cache, "segment.pt", "segment")
    cases = {
        truncated: "can load, found",
        cache / "empty.pt": "can load, found",
        cache / "state.pt": "can load, found",
        segment: "found one for the task segment",
        cache / "empty.onnx": "an .onnx that onnxruntime can run",
        cache / "junk.onnx": "an .onnx that onnxruntime can run",
        cache / "yolo.engine": r"as \.onnx or \.pt, found \.engine",
        cache: r"as \.onnx or \.pt, found no suffix",
    }
    for path, message in cases.items():
        with pytest.raises(CliprpnError, match=message) as error:
            open_file(path, cache)
        assert error.value.code == "weights_mismatch"
        assert str(path) in error.value.message


def write_onnx(
    path: Path, output: list[int], value: float = 0.0, side: int | str = 64, **metadata: str
) -> Path:
    """A graph with the same output for every image, with ultralytics metadata."""
    content = model(
        {"images": [1, 3, side, side]},
        {"output0": list(output)},
        [
            node("ReduceSum", ["images"], "sum", keepdims=0),
            node("Mul", ["sum", "zeros"], "none"),
            node("Add", ["none", "values"], "output0"),
        ],
        [constant("zeros", torch.zeros(output)), constant("values", torch.full(output, value))],
    )
    facts = {
        "task": "detect",
        "names": "{0: 'cat', 1: 'dog'}",
        "stride": "32",
        "imgsz": "[64, 64]",
    } | metadata
    entries = [field(1, key.encode()) + field(2, value.encode()) for key, value in facts.items()]
    path.write_bytes(content + b"".join(field(14, entry) for entry in entries))
    return path


def test_an_onnx_must_match_its_metadata(cache: Path) -> None:
    assert open_file(write_onnx(cache / "good.onnx", [1, 6, 84]), cache).classes == ["cat", "dog"]
    end_to_end = write_onnx(cache / "end.onnx", [1, 300, 6], end2end="True")
    assert [len(proposals) for proposals in open_file(end_to_end, cache).detect([noise(64, 64, 0)])] == [0]
    cases: list[tuple[dict[str, str], list[int], str]] = [
        ({"task": "pose"}, [1, 6, 84], "found one for the task pose"),
        ({}, [1, 84, 84], "an output of 1x6xN for 2 classes, found 1x84x84"),
        ({"end2end": "True"}, [1, 6, 84], "an output of 1xNx6, .*found 1x6x84"),
        ({"names": "{0: 'cat', 2: 'dog'}"}, [1, 6, 84], "names of classes 0, 1, 2"),
        ({"names": "{}"}, [1, 4, 84], "names of classes 0, 1, 2"),
        ({"stride": "'no'"}, [1, 6, 84], "with stride"),
        ({"names": "__import__('os').abort()"}, [1, 6, 84], "names as a Python or JSON literal"),
        ({"names": "[" * 9_999}, [1, 6, 84], "names as a Python or JSON literal"),
        ({"names": r"{0: 'cat', 1: '\ud800'}"}, [1, 6, 84], "names of classes 0, 1, 2"),
    ]
    for metadata, output, message in cases:
        with pytest.raises(CliprpnError, match=message) as error:
            open_file(write_onnx(cache / "case.onnx", output, **metadata), cache)
        assert error.value.code == "weights_mismatch"
    too_large = write_onnx(cache / "too-large.onnx", [1, 6, 84], side="side", imgsz="[1000000, 1000000]")
    with pytest.raises(CliprpnError, match="imgsz, two sides of at most 4096"):
        open_file(too_large, cache)
    wrong_classes = write_onnx(cache / "classes.onnx", [1, 300, 6], 7.0, end2end="True")
    with pytest.raises(CliprpnError, match="expected classes 0 to 1 from the YOLO"):
        open_file(wrong_classes, cache)
    with pytest.raises(CliprpnError, match=r"images of 96 px.*64x64 only"):
        open_file(cache / "good.onnx", cache, size=96)


@pytest.mark.skipif(not (SHARED / "detectors").is_dir(), reason="../shared/data is missing")
def test_detections_on_photos_equal_those_of_ultralytics(cache: Path) -> None:
    weights = SHARED / "detectors" / "yolov8n_int8.onnx"
    files = sorted((SHARED / "refcocog-photos" / "images").iterdir())[:3]
    photos = [load_image(ImageFile(file, False, MAX_PIXELS)) for file in files]
    compare_with_ultralytics(weights, photos, cache, 0.05)


def test_detections_of_a_pt_equal_those_of_ultralytics(untrained: Path, cache: Path) -> None:
    compare_with_ultralytics(untrained, [noise(48, 64, 0), noise(200, 90, 1)], cache, 0.0)


def compare_with_ultralytics(weights: Path, images: list[Tensor], cache: Path, thresh: float) -> None:
    proposals = open_yolo(weights, None, thresh, 0.7, 100, CPU, cache, trusted=True).detect(images)
    with quiet_ultralytics(cache):
        from ultralytics import YOLO

        yolo = YOLO(weights, task="detect")
        for image, proposals_i in zip(images, proposals, strict=True):
            bgr = np.ascontiguousarray(image.permute(1, 2, 0).numpy()[..., ::-1])
            boxes = yolo.predict(bgr, conf=thresh, iou=0.7, max_det=100, device="cpu", verbose=False)[0].boxes
            inside = ((boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]) > 0).all(dim=1)
            # Bit-exact here; the order of summation may differ with another number of threads.
            torch.testing.assert_close(proposals_i.boxes_xyxy, boxes.xyxy[inside].double(), rtol=0, atol=1e-2)
            torch.testing.assert_close(proposals_i.scores, boxes.conf[inside].double(), rtol=0, atol=1e-4)
            assert proposals_i.categories == [yolo.names[int(label)] for label in boxes.cls[inside]]
            assert len(proposals_i) > 0


@pytest.mark.skipif(not (SHARED / "detectors").is_dir(), reason="../shared/data is missing")
def test_a_yolox_is_refused_with_a_hint(cache: Path) -> None:
    with pytest.raises(CliprpnError, match=r"yolox_nano\.onnx: .*`yolox`"):
        open_file(SHARED / "detectors" / "yolox_nano.onnx", cache)


def test_labels_match_objects_in_the_datasets_image_orientation(cache: Path) -> None:
    """A white block on black with an EXIF rotation: the box of the training item is where the block is."""
    pixels = np.zeros((60, 100, 3), dtype=np.uint8)
    pixels[20:50, 10:70] = 255
    exif = Image.Exif()
    exif[274] = 6  # Rotated: 60 wide and 100 high when upright.
    Image.fromarray(pixels).save(path := cache / "side.png", exif=exif)
    boxes = {False: (100, 60, [10, 20, 70, 50]), True: (60, 100, [10, 10, 40, 70])}
    with quiet_ultralytics(cache):
        from ultralytics.utils import DEFAULT_CFG

        from cliprpn.detectors.yolo_trainer import LabeledImages

        for upright, (width, height, box) in boxes.items():
            file = ImageFile(path, upright, MAX_PIXELS)
            image = LabeledImage(file, width, height, np.array([0]), np.array([box], dtype=float))
            data = {"names": {0: "block"}, "nc": 1, "channels": 3}
            item = LabeledImages([image], imgsz=100, augment=False, data=data, hyp=DEFAULT_CFG)[0]
            rows, columns = np.nonzero(item["img"][0].numpy() == 255)
            low = np.array([columns.min(), rows.min()])
            high = np.array([columns.max(), rows.max()]) + 1
            seen = np.concatenate([(low + high) / 2, high - low]) / 100
            np.testing.assert_allclose(item["bboxes"][0].numpy(), seen, atol=1e-6)


def train(
    index: DatasetIndex,
    cache: Path,
    recipe: TrainedYoloDetector = RECIPE,
    should_stop: Callable[[list[Any]], bool] = lambda events: False,
) -> tuple[Path, bool, list[int]]:
    """The weights, whether they were trained, and the batch numbers of progress events."""
    events: list[Any] = []
    context = run_context(cache, events.append, lambda: should_stop(events))
    weights, trained = train_yolo(recipe, index, context)
    return weights, trained, [event.done for event in events if isinstance(event, ProgressEvent)]


def test_a_detector_is_trained_once_and_reproducibly(
    index: DatasetIndex, cache: Path, tmp_path: Path
) -> None:
    weights, trained, batches = train(index, tmp_path)
    assert trained
    assert batches == list(range(1, BATCHES + 1))
    assert sorted(file.name for file in weights.parent.iterdir()) == [".lock", "detector.json", "weights.pt"]
    facts = json.loads((weights.parent / "detector.json").read_bytes())
    assert facts["classes"] == ["block"]
    assert facts["num_train_images"] == 8
    assert set(facts["val_recall"]) == {"@1", "@5", "@10", "@100"}
    assert train(index, tmp_path) == (weights, False, [])
    stored = find_trained_yolo(RECIPE, index, tmp_path)
    assert (stored.file, stored.sha256) == (weights, facts["weights_sha256"])
    assert open_file(weights, cache).classes == ["block"]
    again, _, _ = train(index, tmp_path / "elsewhere")
    assert again.read_bytes() == weights.read_bytes()
    other = RECIPE.model_copy(update={"seed": 1})
    with pytest.raises(CliprpnError, match="train it first") as error:
        find_trained_yolo(other, index, tmp_path)
    assert error.value.code == "weights_missing"
    weights.write_bytes(weights.read_bytes() + b"!")
    with pytest.raises(CliprpnError, match="SHA-256") as error:
        train(index, tmp_path)
    assert error.value.code == "weights_mismatch"


def test_objects_without_a_class_are_used_for_training(
    index: DatasetIndex, cache: Path, tmp_path: Path
) -> None:
    categories = [None if i % 2 else "block" for i in range(len(index.objects))]
    place = index.objects.schema.get_field_index("category")
    some = replace(index, objects=index.objects.set_column(place, "category", [categories]))
    weights, _, _ = train(some, tmp_path, RECIPE.model_copy(update={"num_epochs": 1}))
    assert open_file(weights, cache).classes == ["", "block"]


@pytest.mark.parametrize(
    ("architecture", "batch_size"),
    [
        ("yolov8p", 3),
        pytest.param("yolov8p", 4, marks=pytest.mark.slow),  # The last batch is complete.
        # Its losses have other weights in each epoch.
        pytest.param("yolo26n", 3, marks=pytest.mark.slow),
        pytest.param("yolo26n", 4, marks=pytest.mark.slow),
    ],
)
def test_a_stopped_training_continues_after_its_last_epoch_to_the_same_bits(
    index: DatasetIndex, tmp_path: Path, batch_size: int, architecture: str
) -> None:
    changes = {"num_epochs": 4, "batch_size": batch_size, "architecture": architecture}
    recipe = RECIPE.model_copy(update=changes)
    per_epoch = math.ceil(8 / batch_size)
    expected = train(index, tmp_path / "whole", recipe)[0].read_bytes()

    def stop_after(number: int) -> Callable[[list[Any]], bool]:
        def should_stop(events: list[Any]) -> bool:
            progress = [event for event in events if isinstance(event, ProgressEvent)]
            return len(progress) == number

        return should_stop

    for number in (2 * per_epoch + 1, per_epoch + 1):  # In epoch 3; then again, in epoch 4.
        with pytest.raises(CliprpnError) as error:
            train(index, tmp_path, recipe, should_stop=stop_after(number))
        assert error.value.code == "interrupted"
        with pytest.raises(CliprpnError, match="train it first"):
            find_trained_yolo(recipe, index, tmp_path)
    weights, trained, batches = train(index, tmp_path, recipe)
    assert trained
    assert batches == [*range(3 * per_epoch + 1, 4 * per_epoch + 1)]
    assert json.loads((weights.parent / "detector.json").read_bytes())["num_val_images"] == 2
    assert weights.read_bytes() == expected


def test_a_training_out_of_memory_fails_and_never_uses_smaller_batches(
    index: DatasetIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ultralytics.nn.tasks import DetectionModel

    sizes: list[int] = []

    def full(model: Any, batch: dict[str, Any], *args: Any) -> None:
        sizes.append(len(batch["img"]))
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB.")

    monkeypatch.setattr(DetectionModel, "loss", full)
    with pytest.raises(CliprpnError) as error:
        train(index, tmp_path)
    assert error.value.code == "out_of_memory" and sizes == [RECIPE.batch_size]
    assert f"batch_size (now {RECIPE.batch_size})" in error.value.message


@pytest.mark.parametrize("damage", ["other code", "torn"])
def test_a_training_whose_state_is_unknown_starts_over(
    index: DatasetIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    with pytest.raises(CliprpnError, match="stopped"), monkeypatch.context() as patch:
        if damage == "other code":
            patch.setattr(train_yolo_module, "code_hashes", lambda: {"baseline": "f" * 64})
        train(index, tmp_path, should_stop=lambda events: len(events) == BATCHES_PER_EPOCH + 1)
    (folder,) = (tmp_path / "detectors").iterdir()
    if damage == "torn":
        state = (folder / "resume.pt").read_bytes()
        (folder / "resume.pt").write_bytes(state[:-1] + bytes([state[-1] ^ 1]))
    events: list[Any] = []
    train_yolo(RECIPE, index, run_context(tmp_path, events.append))
    (warning,) = [event.message for event in events if isinstance(event, WarningEvent)]
    assert str(folder / "resume.pt") in warning
    assert min(event.done for event in events if isinstance(event, ProgressEvent)) == 1


@pytest.mark.slow
def test_a_killed_training_resumes_and_touches_only_the_cache(index: DatasetIndex, tmp_path: Path) -> None:
    """Trains in a subprocess that records every file and connection, and is killed in its second epoch."""
    home, cache, seen = tmp_path / "home", tmp_path / "cache", tmp_path / "seen.jsonl"
    home.mkdir()
    script = REPO / "test" / "python" / "train_and_die.py"
    arguments = [str(index.root), index.dataset_id, str(cache), RECIPE.model_dump_json(), str(seen)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    result = run_python("-B", str(script), *arguments, env=environment, cwd=home)
    assert result.returncode == -signal.SIGKILL, result.stderr
    assert result.stdout == ""
    assert list(home.iterdir()) == []
    events = [json.loads(line) for line in seen.read_text().splitlines()]
    assert [event for event in events if event[0] != "open"] == []
    written = {Path(event[1]) for event in events}
    assert any(path.name == "last.pt" for path in written)
    assert {path for path in written if not path.is_relative_to(cache)} <= {Path(os.devnull)}
    (folder,) = (cache / "detectors").iterdir()
    assert not (folder / "weights.pt").exists()
    _, _, batches = train(index, cache)
    assert batches == [BATCHES_PER_EPOCH + 1, BATCHES]
    shutil.rmtree(folder)


def test_a_training_with_a_broken_checkpoint_starts_over(index: DatasetIndex, tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"num_epochs": 1})
    with pytest.raises(CliprpnError, match="stopped"):
        train(index, tmp_path, recipe, should_stop=lambda events: len(events) == 1)
    (folder,) = (tmp_path / "detectors").iterdir()
    (folder / "last.pt").write_bytes(b"torn")
    assert train(index, tmp_path, recipe)[2] == [1, BATCHES_PER_EPOCH]


def test_unknown_architectures_and_data_without_objects_are_reported(
    index: DatasetIndex, tmp_path: Path
) -> None:
    unknown = RECIPE.model_copy(update={"architecture": "yolo99n"})
    with pytest.raises(CliprpnError, match=r"such as yolov8n.*yolo99n") as error:
        train(index, tmp_path, unknown)
    assert error.value.code == "bad_input"
    nothing = replace(index, objects=index.objects.slice(0, 0))
    with pytest.raises(CliprpnError, match="expected annotated objects") as error:
        train(nothing, tmp_path / "nothing")
    assert error.value.code == "data_invalid"


def test_architectures_are_ultralytics_plus_one_smaller_scale(cache: Path) -> None:
    with quiet_ultralytics(cache):
        from ultralytics.nn.tasks import DetectionModel

        from cliprpn.detectors.yolo_trainer import describe_architecture

        def size(name: str) -> int:
            model = DetectionModel(describe_architecture(name), nc=2, verbose=False)
            return sum(parameter.numel() for parameter in model.parameters())

        assert size("yolov8n") == size("yolov8n")  # A description can be used twice.
        assert size("yolov8p") < size("yolov8n") / 3
        assert size("yolov9t") > 0 < size("yolov10n")  # These have separate description files.
        for name in ("yolov8q", "yolo8", "yoloworld", "yolo8n8", "yolov8"):
            with pytest.raises(CliprpnError, match="such as yolov8n"):
                describe_architecture(name)


def test_the_process_state_is_restored(
    untrained: Path, index: DatasetIndex, cache: Path, tmp_path: Path
) -> None:
    import cv2

    def state() -> list[Any]:
        return [
            dict(os.environ),
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
            torch.backends.cudnn.deterministic,
            torch.save,
            repr(torch._tensor_str.PRINT_OPTS),
            torch.get_rng_state().tolist(),
            np.random.get_state()[1].tolist(),  # type: ignore[index]
            np.get_printoptions(),
            random.getstate(),
            Image.open,
            warnings.filters[:],
            sys.stdout,
            cv2.getNumThreads(),
            signal.getsignal(signal.SIGINT),
        ]

    torch.set_num_threads(3)
    torch.use_deterministic_algorithms(True, warn_only=True)
    before = state()
    with quiet_ultralytics(cache):
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(False)
        np.set_printoptions(precision=1)
        os.environ["OMP_NUM_THREADS"] = os.environ["CUBLAS_WORKSPACE_CONFIG"] = "1"
        random.random()
        print("discarded")
    open_file(untrained, cache).detect([noise(20, 20, 0)])
    train(index, tmp_path, RECIPE.model_copy(update={"num_epochs": 1}))
    assert state() == before
    assert (Image.open.__module__, torch.save.__module__) == ("PIL.Image", "torch.serialization")


def test_a_missing_package_is_reported_with_its_license(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics.utils", None)
    with pytest.raises(CliprpnError, match=r"ultralytics .*AGPL-3\.0") as error:
        open_file(write_onnx(cache / "any.onnx", [1, 6, 84]), cache)
    assert error.value.code == "package_missing"


def test_nothing_is_printed(untrained: Path, cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
    open_file(untrained, cache).detect([noise(20, 20, 0)])
    assert capfd.readouterr() == ("", "")


def test_recall_counts_all_objects_and_only_the_k_best_boxes(index: DatasetIndex) -> None:
    """The large block, elsewhere in each image, is detected second; the small one is never detected."""

    class FakeDetector:
        classes: ClassVar[list[str]] = ["block"]

        def detect(self, images: list[Tensor]) -> list[Proposals]:
            proposals = []
            for image in images:
                rows, columns = np.nonzero(image.numpy().max(axis=0) == 255)
                block = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                boxes = torch.tensor([[0, 0, 5, 5], block], dtype=torch.float64)
                proposals.append(
                    Proposals(boxes, torch.tensor([0.9, 0.8], dtype=torch.float64), ["block"] * 2)
                )
            return proposals

    expected = {"@1": 0.0, "@5": 0.5, "@10": 0.5, "@100": 0.5}
    assert measure_recall(FakeDetector(), index, split_image_rows(index, "val"), lambda: False) == expected
    assert measure_recall(FakeDetector(), index, [], lambda: False) is None
