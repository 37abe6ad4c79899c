# Generated from src/contract/schema by `npm run generate`. Do not edit.

from __future__ import annotations

from typing import Annotated, Any, Literal
from pydantic import BaseModel, ConfigDict, Field, RootModel


class Model(RootModel[Any]):
    root: Any


class ScalesPxItem(RootModel[float]):
    root: Annotated[float, Field(gt=0.0, le=4096.0)]


class Ratio(RootModel[float]):
    root: Annotated[float, Field(ge=0.05, le=20.0)]


class Anchors(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    placement: Annotated[
        Literal["corner", "center"],
        Field(
            description="Whether anchors sit on cell corners (the original) or cell centres."
        ),
    ]
    scales_px: Annotated[
        list[ScalesPxItem],
        Field(
            description="Square roots of the anchors' areas, in pixels of the frame.",
            max_length=16,
            min_length=1,
        ),
    ]
    ratios: Annotated[
        list[Ratio],
        Field(description="Height over width.", max_length=16, min_length=1),
    ]


class AreaCuts(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    refcocog_low: float
    refcocog_high: float
    own_low: float
    own_high: float


class AreaShares(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    small: float
    medium: float
    large: float


class Template(RootModel[str]):
    root: Annotated[str, Field(pattern="^[^{}]*\\{\\}[^{}]*$")]


class CasePrediction(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    pred_box_xyxy: Annotated[
        list[float],
        Field(
            description="Left, top, right, bottom in pixels of the original image.",
            max_length=4,
            min_length=4,
            title="BoxXyxy",
        ),
    ]
    iou: float


class Case(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    sent_id: int
    image_file: Annotated[str, Field(description="Absolute path.")]
    sentence: str
    gt_box_xyxy: Annotated[
        list[float],
        Field(
            description="Left, top, right, bottom in pixels of the original image.",
            max_length=4,
            min_length=4,
            title="BoxXyxy",
        ),
    ]
    predictions: list[CasePrediction]
    upright: Annotated[
        bool,
        Field(
            description="Whether the boxes lie in the image with its rotation flag (EXIF) applied."
        ),
    ]


class CategoryCount(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    category: str
    num_sentences: Annotated[int, Field(ge=0)]


class CheckDetectorResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_classes: Annotated[
        int | None, Field(description="Null where its boxes have no class.", ge=1)
    ]


class CheckFusionResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_parameters: int


class Columns(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    image: Annotated[str, Field(min_length=1)]
    sentence: Annotated[str, Field(min_length=1)]
    box: Annotated[str, Field(min_length=1)]
    split: Annotated[str, Field(min_length=1)]


class ConcatenationFusion(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["concatenation"]


class CrossAttentionFusion(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["cross_attention"]


class DatasetCounts(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_images: Annotated[int, Field(ge=0)]
    num_refs: Annotated[int, Field(ge=0)]
    num_sentences: Annotated[int, Field(ge=0)]


class DatasetFloor(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    name: Annotated[
        Literal["whole_picture", "constant_box"],
        Field(description="The whole image, or the one box that fits train best."),
    ]
    miou: float
    acc_at_50: float


class DatasetStatsParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    root: Annotated[str, Field(description="Folder of a prepared data set.")]
    hash_pixels: Annotated[
        bool,
        Field(
            description="Whether images are compared by their pixels too, which reads all of them."
        ),
    ]


class Durations(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    features: Annotated[
        float,
        Field(
            description="Opening, and where need be extracting, the frozen features.",
            ge=0.0,
        ),
    ]
    training: Annotated[float, Field(ge=0.0)]
    evaluation: Annotated[float, Field(ge=0.0)]
    total: Annotated[float, Field(ge=0.0)]


class Environment(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    python: str
    torch: str
    torchvision: str
    open_clip: str
    platform: str
    device: str
    device_name: str
    num_threads: Annotated[int, Field(ge=1)]


class Epoch(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    epoch: Annotated[int, Field(description="Counted from 1.", ge=1)]
    num_epochs: Annotated[int, Field(ge=1)]
    loss: Annotated[float, Field(description="Mean over the epoch's sentences.")]
    loss_objectness: float
    loss_box: float
    learning_rate: float
    val_acc_at_50: Annotated[float, Field(ge=0.0, le=1.0)]
    val_miou: Annotated[float, Field(ge=0.0, le=1.0)]
    duration_ms: Annotated[float, Field(ge=0.0)]


class EpochEvent(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["epoch"]
    epoch: Epoch


class ErrorInfo(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    code: Annotated[
        Literal[
            "bad_input",
            "contract_violation",
            "data_invalid",
            "device_unavailable",
            "environment_broken",
            "fusion_invalid",
            "internal",
            "interrupted",
            "locked",
            "loss_not_finite",
            "no_network",
            "no_space",
            "not_found",
            "out_of_memory",
            "package_missing",
            "python_unsuitable",
            "timed_out",
            "unsupported_platform",
            "weights_mismatch",
            "weights_missing",
            "weights_unsafe",
            "worker_died",
        ],
        Field(
            description="Every error has one of these codes; `exit_codes` in errors.ts maps each to the exit code of the process.",
            title="ErrorCode",
        ),
    ]
    message: str


class ExportDatasetParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    root: Annotated[str, Field(description="Folder of a prepared data set.")]
    format: Literal["jsonl", "coco"]
    box_format: Annotated[
        Literal["xywh", "xyxy", "cxcywh_norm"],
        Field(
            description="Pixels of the original image, or shares of it.",
            title="BoxFormat",
        ),
    ]
    out_file: str


class ExportDatasetResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_sentences: Annotated[int, Field(ge=0)]


class FailedOutcome(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    state: Literal["failed"]
    trial_id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    sources_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    finished_at: str
    error: ErrorInfo
    traceback_file: Annotated[
        str | None, Field(description="Beside outcome.json; null where there is none.")
    ]


class Class(RootModel[str]):
    root: Annotated[str, Field(min_length=1)]


class SeedFigure(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    seed: int
    value: float


class FileDetector(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["file"]
    file: Annotated[str, Field(description="Absolute path.")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class FileFusion(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["file"]
    file: Annotated[
        str,
        Field(
            description="Absolute path of the file, a colon, the class: /home/me/my_fusion.py:MyFusion.",
            pattern="^.+\\.py:[A-Za-z_][A-Za-z0-9_]*$",
        ),
    ]
    params: Annotated[
        dict[str, Any],
        Field(description="Keyword arguments of the class, finite JSON values."),
    ]
    source_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Pair(RootModel[list[Case]]):
    root: Annotated[list[Case], Field(max_length=2, min_length=2)]


class Gallery(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    best: list[Case]
    worst: list[Case]
    pairs: Annotated[list[Pair], Field(description="Minimal pairs: two cases each.")]


class GoldenParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    files: Annotated[list[str], Field(min_length=1)]


class GoldenRow(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    file: str
    output: str
    max_abs_diff: float
    ok: bool


class GoldenResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    rows: list[GoldenRow]


class GroundParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    model: Annotated[
        str,
        Field(
            description="A trial's folder, or a .safetensors file with its .json beside it."
        ),
    ]
    sentence: Annotated[str, Field(min_length=1)]
    pixels_manifest: Annotated[
        str,
        Field(
            description="Absolute path of the manifest.json of a folder of pixels that holds the one image."
        ),
    ]


class GroundResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    pred_box_xyxy: Annotated[
        list[float],
        Field(
            description="In pixels of the image the right way up: its EXIF rotation is applied.",
            max_length=4,
            min_length=4,
            title="BoxXyxy",
        ),
    ]
    objectness: Annotated[float, Field(description="The box's score, in [0, 1].")]
    image_width: int
    image_height: int
    sentence: str


class GtBoxesDetector(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["gt_boxes"]


class HelloParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_sha256: str
    device: Annotated[
        str,
        Field(
            description="`auto`, cpu, cuda, cuda:I or mps; Python resolves it, and refuses one that is absent.",
            pattern="^(auto|cpu|mps|cuda(:[0-9]+)?)$",
        ),
    ]
    num_threads: Annotated[int | None, Field(ge=1)]


class HelloResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_sha256: str
    environment: Environment
    pid: int


class ImportCheckpointParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    checkpoint_file: str
    out_dir: str


class ImportCheckpointResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    fusion: Literal["concatenation", "cross_attention"]
    model_file: str
    backbone_file: Annotated[
        str | None, Field(description="The checkpoint's own CLIP, where it holds one.")
    ]
    num_parameters: int


class Interval(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    mean: float
    low: float
    high: float


class Limits(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    train: Annotated[int | None, Field(ge=1)]
    val: Annotated[int | None, Field(ge=1)]
    test: Annotated[int | None, Field(ge=1)]


class Metrics(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_sentences: Annotated[int, Field(ge=0)]
    num_images: Annotated[int, Field(ge=0)]
    acc_at_25: Annotated[float, Field(ge=0.0, le=1.0)]
    acc_at_50: Annotated[float, Field(ge=0.0, le=1.0)]
    acc_at_75: Annotated[float, Field(ge=0.0, le=1.0)]
    acc_at_90: Annotated[float, Field(ge=0.0, le=1.0)]
    macc: Annotated[float, Field(ge=0.0, le=1.0)]
    miou: Annotated[float, Field(ge=0.0, le=1.0)]
    oiou: Annotated[float, Field(ge=0.0, le=1.0)]
    recall_at_1: Annotated[float, Field(ge=0.0, le=1.0)]
    recall_at_5: Annotated[float, Field(ge=0.0, le=1.0)]
    recall_at_10: Annotated[float, Field(ge=0.0, le=1.0)]
    recall_at_100: Annotated[float, Field(ge=0.0, le=1.0)]
    pointing: Annotated[float, Field(ge=0.0, le=1.0)]
    pair_accuracy: Annotated[
        float | None,
        Field(
            description="Share of minimal pairs with both sentences right; null where the data has no pairs.",
            ge=0.0,
            le=1.0,
        ),
    ]


class OkEnvelope(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    status: Literal["ok"]
    value: dict[str, Any]


class PeakMemory(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    process: Annotated[
        int,
        Field(description="Largest resident size of the Python process so far.", ge=0),
    ]
    device: Annotated[
        int | None,
        Field(
            description="Largest allocation on the accelerator in this trial; null on the CPU.",
            ge=0,
        ),
    ]


class PreparedImage(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    file_name: Annotated[str, Field(min_length=1)]
    bytes: Annotated[int, Field(description="Of the file when it was decoded.", ge=0)]
    mtime_ms: float
    width: Annotated[int, Field(description="In the frame that boxes lie in.", ge=0)]
    height: Annotated[int, Field(ge=0)]
    upright: Annotated[
        bool,
        Field(
            description="Whether the file's rotation flag (EXIF) was applied to reach that frame."
        ),
    ]
    scale_x: Annotated[
        float,
        Field(
            description="Prepared pixels per original pixel: x_prepared = x * scale_x + left_px."
        ),
    ]
    scale_y: float
    left_px: float
    top_px: float
    problem: Annotated[
        str | None,
        Field(
            description="Why there are no pixels: missing, broken, of another size. Its row is black."
        ),
    ]


class ProgressEvent(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["progress"]
    phase: Literal[
        "index",
        "image_features",
        "text_features",
        "training",
        "evaluation",
        "detector_training",
        "detections",
        "crops",
    ]
    done: Annotated[int, Field(ge=0)]
    total: Annotated[int, Field(ge=0)]


class ProposalRecall(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    k: Annotated[int, Field(ge=1)]
    interval: Interval


class ProposalSummary(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    recall_at: Annotated[
        list[ProposalRecall],
        Field(
            description="Share of sentences with a hit among the detector's k best-scoring boxes, the sentence unknown."
        ),
    ]
    best_proposal: Annotated[
        Interval, Field(description="Acc@0.5 if ranking never erred.")
    ]
    lost_by_proposals: Annotated[
        Interval, Field(description="Share of sentences without a hit among all boxes.")
    ]
    lost_by_ranking: Annotated[
        Interval,
        Field(
            description="Share of sentences with a hit among the boxes, but another one ranked first."
        ),
    ]
    mean_num_boxes: Annotated[float, Field(ge=0.0)]
    num_images_without: Annotated[
        int,
        Field(
            description="Images in which nothing was detected; the whole image answers for them.",
            ge=0,
        ),
    ]
    num_sentences_without: Annotated[int, Field(ge=0)]


class Quantiles(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    min: float
    p5: float
    p25: float
    p50: float
    p75: float
    p95: float
    max: float
    mean: float


class RefcocoSource(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    layout: Literal["refcoco"]
    instances_file: Annotated[
        str, Field(description="COCO's images, objects and categories.", min_length=1)
    ]
    refs_file: Annotated[
        str, Field(description="`refs(umd).p` and its like.", min_length=1)
    ]


class Rpn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    fg_iou_thresh: Annotated[
        float,
        Field(
            description="An anchor with at least this IoU is a positive; the best anchor always is.",
            gt=0.0,
            le=1.0,
        ),
    ]
    bg_iou_thresh: Annotated[
        float,
        Field(
            description="An anchor below this IoU is a negative; must not exceed fg_iou_thresh.",
            gt=0.0,
            le=1.0,
        ),
    ]
    objectness_loss: Annotated[
        Literal["sampled_bce", "softmax"],
        Field(
            description="`sampled_bce`: binary cross-entropy over sampled anchors (the original). `softmax`: cross-entropy over all anchors."
        ),
    ]
    box_loss: Annotated[
        Literal["over_sampled", "over_positives"],
        Field(
            description="Smooth L1 on the positives, divided by the number of sampled anchors (`over_sampled`, the original) or of positives."
        ),
    ]
    box_loss_weight: Annotated[float, Field(ge=0.0, le=1000.0)]
    batch_size_per_image: Annotated[
        int,
        Field(
            description="Anchors sampled per sentence for `sampled_bce`.",
            ge=2,
            le=100000,
        ),
    ]
    positive_fraction: Annotated[
        float,
        Field(description="Share of positives among them, at most.", gt=0.0, le=1.0),
    ]
    pre_nms_top_n: Annotated[
        int,
        Field(
            description="Proposals kept before non-maximum suppression, in evaluation.",
            ge=1,
            le=100000,
        ),
    ]
    post_nms_top_n: Annotated[
        int,
        Field(description="Proposals kept after it, in evaluation.", ge=1, le=100000),
    ]
    nms_thresh: Annotated[float, Field(gt=0.0, le=1.0)]
    negatives_loss_weight: Annotated[
        float,
        Field(
            description="Weight of the loss that sets the true object against the image's other objects of its category; 0 for none (the original).",
            ge=0.0,
            le=1000.0,
        ),
    ]


class RpnDetector(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["rpn"]
    file: Annotated[
        str, Field(description="Absolute path of the model's .safetensors.")
    ]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class RunTrialParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    trial_dir: Annotated[
        str, Field(description="Absolute path; holds spec.json, gets outcome.json.")
    ]


class SameCategory(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    one: Annotated[int, Field(ge=0)]
    two: Annotated[int, Field(ge=0)]
    three_or_more: Annotated[int, Field(ge=0)]
    unknown: Annotated[int, Field(description="Nobody says what the object is.", ge=0)]


class SourceFile(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    file: Annotated[str, Field(description="Absolute path.")]
    bytes: Annotated[int, Field(ge=0)]
    mtime_ms: float
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class SplitCounts(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    num_images: int
    num_refs: int
    num_sentences: int


class SplitOverlap(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    first: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    second: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    num_images: Annotated[
        int,
        Field(
            description="Images of the second that are in the first too, by id or by file name.",
            ge=0,
        ),
    ]
    num_identical_pixels: Annotated[
        int | None,
        Field(
            description="Images of the second with the prepared pixels of another one of the first; null where pixels were not looked at.",
            ge=0,
        ),
    ]
    num_refs: Annotated[int, Field(ge=0)]
    num_objects: Annotated[int, Field(ge=0)]
    num_sentences: Annotated[
        int,
        Field(
            description="Sentences of the second with the image, the box and the words of one of the first.",
            ge=0,
        ),
    ]
    examples: Annotated[
        list[str], Field(description="File names of a few shared images.")
    ]


class TrialGroup(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    trial_dirs: Annotated[list[str], Field(min_length=1)]


class SummarizeParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    groups: Annotated[
        list[TrialGroup],
        Field(
            description="Trials of one setting, one per seed; each has predictions-<split>.parquet.",
            min_length=1,
        ),
    ]
    cache_dir: str


class SwitchedFusion(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["switched"]
    text: Annotated[
        Literal["pooled", "words"],
        Field(description="One vector for the sentence, or one for every word."),
    ]
    interaction: Annotated[
        Literal["additive", "multiplicative"],
        Field(description="Whether text is added to the map or multiplied with it."),
    ]
    coordinates: Annotated[
        Literal["off", "on"], Field(description="Whether each cell knows where it is.")
    ]


class TableCheck(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    expected: str
    num_checked: Annotated[int, Field(ge=0)]
    num_wrong: Annotated[int, Field(ge=0)]
    examples: Annotated[list[str], Field(description="A few of the wrong ones.")]


class TrainDetectorResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    weights_file: Annotated[str, Field(description="Absolute path, in the cache.")]
    trained: Annotated[bool, Field(description="False when it was there already.")]


class TrainedYoloDetector(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["trained_yolo"]
    architecture: Annotated[
        str,
        Field(
            description="One that ultralytics has a description of: yolov8n, yolo11n.",
            pattern="^yolo[a-z0-9]+$",
        ),
    ]
    num_epochs: Annotated[int, Field(ge=1, le=1000)]
    image_size_px: Annotated[int, Field(ge=64, le=2048, multiple_of=32)]
    batch_size: Annotated[int, Field(ge=1, le=1024)]
    seed: Annotated[int, Field(ge=0, le=4294967295)]


class Training(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_epochs: Annotated[int, Field(ge=1, le=10000)]
    batch_size: Annotated[int, Field(description="Sentences per step.", ge=1, le=65536)]
    batch_by: Annotated[
        Literal["sentence", "picture"],
        Field(
            description="What is shuffled: every `sentence` (the original), or every `image` with its sentences together, which learns faster."
        ),
    ]
    optimizer: Literal["adam", "adamw"]
    learning_rate: Annotated[
        float,
        Field(description="The peak, where the schedule has one.", gt=0.0, le=10.0),
    ]
    weight_decay: Annotated[float, Field(ge=0.0, le=10.0)]
    schedule: Literal["constant", "cosine"]
    warmup_fraction: Annotated[
        float,
        Field(
            description="Share of all steps in which the rate rises linearly to its peak.",
            ge=0.0,
            le=0.9,
        ),
    ]
    grad_clip_norm: Annotated[
        float | None,
        Field(
            description="Largest norm of the gradient; null for no clipping.", gt=0.0
        ),
    ]
    amp: Annotated[bool, Field(description="bfloat16 autocast on CUDA; off elsewhere.")]
    select_by: Annotated[
        Literal["acc_at_50", "miou"],
        Field(description="The val figure that picks the best epoch."),
    ]
    views: Annotated[
        int,
        Field(
            description="Augmented views of every training image, cached; 0 for none. An epoch takes each image's next one.",
            ge=0,
            le=64,
        ),
    ]


class TrialBackbone(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    name: Literal["cliprpn-tiny", "RN50-quickgelu"]
    weights: Annotated[
        str,
        Field(
            description="`shipped`, `openai` or the absolute path of a file.",
            min_length=1,
        ),
    ]
    weights_id: Annotated[
        str, Field(description="`openai`, or the SHA-256 of the file.", min_length=1)
    ]


class TrialDataset(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    id: Annotated[str, Field(description="Hash of the annotations.", min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    root: Annotated[
        str,
        Field(
            description="Absolute path of the prepared data set's folder.", min_length=1
        ),
    ]
    split_by: Annotated[
        Literal["umd", "google", "unc", "own"],
        Field(
            description="Who made the splits: the field's `umd`, `google` and `unc`, or `own` for a person's data.",
            title="SplitBy",
        ),
    ]


class WantedImage(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    image_id: int
    file_name: Annotated[
        str, Field(description="Relative to the folder of images.", min_length=1)
    ]
    width: Annotated[
        int | None,
        Field(
            description="As the annotations tell it, in pixels; null where they do not.",
            ge=1,
        ),
    ]
    height: Annotated[int | None, Field(ge=1)]


class WantedImages(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    pictures: list[WantedImage]


class WarningEvent(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["warning"]
    message: str


class WholeImageDetector(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["whole_picture"]


class WordBin(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    min_words: Annotated[int, Field(ge=0)]
    max_words: Annotated[
        int | None, Field(description="Inclusive; null for no end.", ge=0)
    ]


class YoloDetector(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["yolo"]
    file: Annotated[
        str,
        Field(
            description="Absolute path of the weights: .onnx, or a .pt, which runs code when loaded."
        ),
    ]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    image_size_px: Annotated[
        int | None,
        Field(
            description="Side of the square that an image is letterboxed to, in pixels; null for the one that the weights were made for.",
            ge=32,
            le=4096,
            multiple_of=32,
        ),
    ]


class YoloxDetector(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["yolox"]
    file: Annotated[str, Field(description="Absolute path.")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    classes: Annotated[
        list[Class] | None,
        Field(
            description="Names of the detector's classes, in its order; null for COCO's 80.",
            max_length=10000,
            min_length=1,
        ),
    ]


class AreaStats(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    quantiles: Quantiles
    refcocog_shares: Annotated[
        AreaShares,
        Field(description="Of small, medium and large boxes by RefCOCOg's terciles."),
    ]
    own_shares: Annotated[
        AreaShares, Field(description="The same by the set's own terciles.")
    ]


class Breakdown(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    by: Literal[
        "stratum", "area_tercile", "sentence_length", "num_same_category", "category"
    ]
    group: str
    num_sentences: Annotated[int, Field(ge=0)]
    interval: Interval


class HelloMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: HelloParams
    result: HelloResult


class GroundMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: GroundParams
    result: GroundResult


class ImportCheckpointMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: ImportCheckpointParams
    result: ImportCheckpointResult


class GoldenMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: GoldenParams
    result: GoldenResult


class ExportDatasetMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: ExportDatasetParams
    result: ExportDatasetResult


class Comparison(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    against: str
    difference: Interval


class CompletedOutcome(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    state: Literal["completed"]
    trial_id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    sources_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    finished_at: Annotated[str, Field(description="UTC, ISO 8601.")]
    best_epoch: Annotated[
        int,
        Field(
            description="Counted from 1; chosen on val. 0 where nothing is trained.",
            ge=0,
        ),
    ]
    epochs: list[Epoch]
    metrics: Annotated[Metrics, Field(description="Of the best epoch, on val.")]
    num_trainable_parameters: Annotated[int, Field(ge=0)]
    durations_ms: Durations
    peak_memory_bytes: PeakMemory
    environment: Environment
    notes: Annotated[
        list[str],
        Field(description="What a reader of its figures must know, a sentence each."),
    ]


class ErrorEnvelope(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    status: Literal["error"]
    error: ErrorInfo
    traceback: Annotated[
        str | None, Field(description="For the log, never for the terminal.")
    ]


class EvaluateParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    model: Annotated[
        str,
        Field(
            description="A trial's folder (its best epoch), or a .safetensors file with its .json beside it."
        ),
    ]
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    dataset: Annotated[
        TrialDataset | None,
        Field(
            description="Null for the one that the model was trained on. On another one the trial's limits do not hold."
        ),
    ]
    out_dir: Annotated[
        str,
        Field(
            description="Absolute path; gets predictions-<split>.parquet and metrics-<split>.json."
        ),
    ]
    cache_dir: str


class EvaluateResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    metrics: Metrics
    predictions_file: str


class FasterRcnnDetector(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["faster_rcnn"]
    variant: Annotated[
        Literal[
            "resnet50_fpn_v2",
            "resnet50_fpn",
            "mobilenet_v3_large_fpn",
            "mobilenet_v3_large_320_fpn",
        ],
        Field(title="FasterRcnnVariant"),
    ]
    file: Annotated[
        str,
        Field(
            description="Absolute path of a state_dict; `coco` for those that torchvision fetches."
        ),
    ]
    sha256: Annotated[
        str,
        Field(
            description="Of the file; `coco` for torchvision's own.",
            pattern="^([0-9a-f]{64}|coco)$",
        ),
    ]
    classes: Annotated[
        list[Class] | None,
        Field(
            description="Names of the detector's classes, in its order; null for COCO's 80.",
            max_length=10000,
            min_length=1,
        ),
    ]


class Figure(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    metric: Annotated[
        Literal[
            "acc_at_25",
            "acc_at_50",
            "acc_at_75",
            "acc_at_90",
            "macc",
            "miou",
            "oiou",
            "recall_at_1",
            "recall_at_5",
            "recall_at_10",
            "recall_at_100",
            "pointing",
            "pair_accuracy",
        ],
        Field(title="MetricName"),
    ]
    interval: Interval
    per_seed: list[SeedFigure]


class Floor(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    name: Annotated[
        Literal["constant_box", "whole_picture", "blank_sentence"],
        Field(
            description="`constant_box` is fitted on train; `blank_sentence` is the best setting with its sentence blanked."
        ),
    ]
    acc_at_50: Interval
    miou: Interval


class IndexDatasetResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    splits: list[SplitCounts]
    dropped: DatasetCounts
    split_rule: str
    notes: list[str]


class PixelShard(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    file: Annotated[
        str,
        Field(
            description="`shard-00000.npy`: uint8 [n, image_size_px, image_size_px, 3], RGB.",
            pattern="^shard-[0-9]{5}\\.npy$",
        ),
    ]
    sha256: Annotated[
        str, Field(description="Of the whole file.", pattern="^[0-9a-f]{64}$")
    ]
    pictures: list[PreparedImage]


class PixelsManifest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    preprocessing_version: Annotated[
        str,
        Field(
            description="Changes whenever the same file would give other pixels.",
            min_length=1,
        ),
    ]
    image_size_px: Annotated[int, Field(ge=1)]
    resize: Annotated[
        Literal["squash", "letterbox"],
        Field(
            description="How an image is brought to a square: `squash` to it (the original), or `letterbox` with its shape kept.",
            title="Resize",
        ),
    ]
    pixels_id: Annotated[
        str, Field(description="Hash of all shards' checksums.", min_length=1)
    ]
    shards: list[PixelShard]


class ReadAnnotationsResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_pictures: Annotated[int, Field(ge=0)]
    splits: list[SplitCounts]


class RowsFile(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    file: Annotated[str, Field(min_length=1)]
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"] | None,
        Field(
            description="The split of all its rows; null where each row says its own, or none does."
        ),
    ]


class RowsSource(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    layout: Literal["rows"]
    format: Annotated[
        Literal["jsonl", "csv", "coco", "mdetr", "transvg"],
        Field(
            description="JSON Lines; CSV; COCO's JSON with sentences; MDETR's finetune JSON; TransVG's index rows."
        ),
    ]
    files: Annotated[list[RowsFile], Field(min_length=1)]
    box_format: Annotated[
        Literal["xywh", "xyxy", "cxcywh_norm"],
        Field(
            description="Pixels of the original image, or shares of it.",
            title="BoxFormat",
        ),
    ]
    columns: Columns
    split_seed: Annotated[
        int, Field(description="Of the split by image, where no split is given.", ge=0)
    ]


class SentenceExample(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    sentence: str
    category: Annotated[str, Field(description="Empty where nobody says it.")]
    file_name: str
    upright: bool
    width: Annotated[int | None, Field(ge=1)]
    height: Annotated[int | None, Field(ge=1)]
    box_xyxy: Annotated[
        list[float],
        Field(
            description="Left, top, right, bottom in pixels of the original image.",
            max_length=4,
            min_length=4,
            title="BoxXyxy",
        ),
    ]


class Settings(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    image_size_px: Annotated[
        int,
        Field(
            description="Side of the square that an image is brought to before CLIP, in pixels; a multiple of 32.",
            ge=64,
            le=1024,
            multiple_of=32,
        ),
    ]
    resize: Annotated[
        Literal["squash", "letterbox"],
        Field(
            description="How an image is brought to a square: `squash` to it (the original), or `letterbox` with its shape kept.",
            title="Resize",
        ),
    ]
    frame_size_px: Annotated[
        int,
        Field(
            description="Side of the square frame in which anchors and boxes live during training, in pixels.",
            ge=64,
            le=4096,
        ),
    ]
    neck_channels: Annotated[
        int | None,
        Field(
            description="Channels after the 1x1 projection that stands before the fusion; null for no projection (the original).",
            ge=8,
            le=4096,
        ),
    ]
    fusion: Annotated[
        ConcatenationFusion | CrossAttentionFusion | SwitchedFusion | FileFusion,
        Field(
            description="How sentence and image are joined.",
            discriminator="kind",
            title="Fusion",
        ),
    ]
    anchors: Anchors
    rpn: Rpn
    training: Training
    limits: Limits


class SplitStats(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    num_images: Annotated[int, Field(ge=0)]
    num_refs: Annotated[int, Field(ge=0)]
    num_sentences: Annotated[int, Field(ge=0)]
    words: Quantiles
    word_histogram: Annotated[
        list[int], Field(description="Sentences in each of `word_bins`.")
    ]
    num_left_right: Annotated[
        int, Field(description="Sentences with the word left or right.", ge=0)
    ]
    num_non_ascii: Annotated[int, Field(ge=0)]
    num_repeated: Annotated[
        int,
        Field(
            description="Rows whose object and sentence are those of an earlier row.",
            ge=0,
        ),
    ]
    areas: Annotated[
        AreaStats | None,
        Field(
            description="Boxes' areas as shares of their images; null where nobody tells the images' sizes."
        ),
    ]
    same_category: SameCategory
    num_categories: Annotated[int, Field(ge=0)]
    top_categories: Annotated[
        list[CategoryCount], Field(description="Most frequent first.")
    ]
    objects_per_image: Annotated[Quantiles, Field(description="Over images.")]
    aspects: Annotated[
        Quantiles | None, Field(description="Width over height, over images.")
    ]
    floors: Annotated[
        list[DatasetFloor],
        Field(
            description="What an answer without understanding gets; empty where nobody tells the images' sizes."
        ),
    ]


class StratumSummary(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    stratum: str
    num_sentences: Annotated[int, Field(ge=0)]
    num_pairs: Annotated[int, Field(description="Minimal pairs among them.", ge=0)]
    figures: list[Figure]


class TrainDetectorParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    detector: TrainedYoloDetector
    dataset: TrialDataset
    cache_dir: str


class TrialEvent(RootModel[ProgressEvent | EpochEvent | WarningEvent]):
    root: Annotated[
        ProgressEvent | EpochEvent | WarningEvent,
        Field(
            description="One-way news from Python while a call runs; only for people watching.",
            discriminator="type",
            title="TrialEvent",
        ),
    ]


class EvaluateMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: EvaluateParams
    result: EvaluateResult


class TrainDetectorMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: TrainDetectorParams
    result: TrainDetectorResult


class ClipRpnSpec(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["cliprpn"]
    trial_id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    sources_sha256: Annotated[
        str,
        Field(
            description="Hash of cliprpn's Python sources and of the environment's lock; an outcome made by others is stale.",
            pattern="^[0-9a-f]{64}$",
        ),
    ]
    label: Annotated[
        str,
        Field(
            description="What sets this trial's setting apart, for people: `fusion=film`."
        ),
    ]
    preset: Literal["default", "reference"]
    seed: Annotated[int, Field(ge=0, le=4294967295)]
    num_threads: Annotated[int, Field(ge=1, le=1024)]
    device: Annotated[str, Field(pattern="^(cpu|mps|cuda:[0-9]+)$")]
    dataset: TrialDataset
    backbone: TrialBackbone
    settings: Settings
    cache_dir: Annotated[
        str,
        Field(
            description="Absolute path of the folder for frozen features and data-set indices.",
            min_length=1,
        ),
    ]


class Envelope(RootModel[OkEnvelope | ErrorEnvelope]):
    root: Annotated[
        OkEnvelope | ErrorEnvelope,
        Field(
            description="Every reply: a value, or an error that is a value.",
            discriminator="status",
            title="Envelope",
        ),
    ]


class IndexDatasetParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    source: Annotated[
        RefcocoSource | RowsSource,
        Field(
            description="Where sentences and boxes come from.",
            discriminator="layout",
            title="AnnotationSource",
        ),
    ]
    pixels_manifest: Annotated[
        str | None,
        Field(
            description="Absolute path of a manifest.json: sizes of the images, and which have a problem; their refs are left out. Null for a set without images."
        ),
    ]
    folder: Annotated[
        str,
        Field(
            description="Absolute path; gets images.parquet, sentences.parquet and objects.parquet."
        ),
    ]


class PreparedDataset(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    format_version: Literal[1]
    id: Annotated[
        str,
        Field(
            description="Hash of the annotations, and of the images where a person prepared it; part of a trial's identity.",
            min_length=1,
        ),
    ]
    name: Annotated[str, Field(min_length=1)]
    split_by: Annotated[
        Literal["umd", "google", "unc", "own"],
        Field(
            description="Who made the splits: the field's `umd`, `google` and `unc`, or `own` for a person's data.",
            title="SplitBy",
        ),
    ]
    source: Annotated[
        RefcocoSource | RowsSource,
        Field(
            description="Where sentences and boxes come from.",
            discriminator="layout",
            title="AnnotationSource",
        ),
    ]
    annotation_files: list[SourceFile]
    images_dir: Annotated[
        str | None,
        Field(
            description="Absolute path of the folder with the images; null for a set without images."
        ),
    ]
    max_pixels: Annotated[
        int, Field(description="An image with more is refused.", ge=1)
    ]
    follow_links: Annotated[
        bool,
        Field(
            description="Whether links that lead out of the folder of images were followed."
        ),
    ]
    allow_missing: Annotated[
        bool,
        Field(
            description="Whether images that are missing or broken were left out with their refs."
        ),
    ]
    pictures_sha256: Annotated[
        str,
        Field(
            description="Hash of all images' names, sizes and frames, and of which have a problem: when they change, the tables are made anew."
        ),
    ]
    dropped: DatasetCounts
    splits: list[SplitCounts]
    split_rule: Annotated[
        str, Field(description="How the sentences came to their splits.")
    ]
    deviations: Annotated[
        list[str],
        Field(
            description="Counts that are not those of the published table, a line each."
        ),
    ]
    notes: Annotated[
        list[str], Field(description="What is odd and was kept, a line each.")
    ]
    prepared_at: str
    cliprpn_version: str


class ReadAnnotationsParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    source: Annotated[
        RefcocoSource | RowsSource,
        Field(
            description="Where sentences and boxes come from.",
            discriminator="layout",
            title="AnnotationSource",
        ),
    ]
    out_file: Annotated[
        str, Field(description="Absolute path; gets the wanted images as JSON.")
    ]


class RunTrialResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    outcome: Annotated[
        CompletedOutcome | FailedOutcome,
        Field(
            description="What a trial came to: `outcome.json` in its folder, written once. The file is the truth.",
            discriminator="state",
            title="TrialOutcome",
        ),
    ]


class SettingSummary(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    trial_ids: list[str]
    figures: list[Figure]
    strata: Annotated[
        list[StratumSummary],
        Field(
            description="Every figure on each kind of sentence; empty where the data have no strata."
        ),
    ]
    breakdowns: list[Breakdown]
    category_macro_acc_at_50: Annotated[
        float, Field(description="Mean over categories.")
    ]
    kind: Literal["cliprpn", "baseline"]
    proposals: Annotated[
        ProposalSummary | None,
        Field(
            description="Of a baseline; null for a ClipRPN, which ranks while it proposes."
        ),
    ]


class Summary(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    num_sentences: Annotated[int, Field(ge=0)]
    num_images: Annotated[int, Field(ge=0)]
    confidence: Annotated[
        float, Field(description="Level of every interval.", gt=0.0, lt=1.0)
    ]
    num_resamples: Annotated[
        int, Field(description="Of the bootstrap over images.", ge=1)
    ]
    settings: Annotated[
        list[SettingSummary],
        Field(description="Best on val first, by acc_at_50; ceilings (gt boxes) last."),
    ]
    comparisons: Annotated[
        list[Comparison],
        Field(
            description="The best setting against each other one that is no ceiling, on the same sentences."
        ),
    ]
    floors: list[Floor]
    gallery: Gallery


class BaselineSettings(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    detector: Annotated[
        YoloDetector
        | TrainedYoloDetector
        | YoloxDetector
        | FasterRcnnDetector
        | FileDetector
        | RpnDetector
        | GtBoxesDetector
        | WholeImageDetector,
        Field(
            description="Where proposals come from.",
            discriminator="kind",
            title="Detector",
        ),
    ]
    ranking: Annotated[
        Literal["crop", "blur", "circle", "crop+blur"],
        Field(
            description="What CLIP sees of a box: the `crop` (the original), the image with all else in a `blur`, the image with a red `circle` around it, or both of `crop+blur` (ReCLIP without relations)."
        ),
    ]
    templates: Annotated[
        list[Template],
        Field(
            description="Texts around the sentence, {} in its place; the vectors of several are averaged.",
            max_length=100,
            min_length=1,
        ),
    ]
    category_prior: Annotated[
        bool,
        Field(
            description="Whether a box's class, as CLIP's text encoder likens it to the sentence, counts too."
        ),
    ]
    score_thresh: Annotated[
        float,
        Field(description="Detections below this score are left out.", ge=0.0, le=1.0),
    ]
    nms_thresh: Annotated[
        float,
        Field(
            description="Non-maximum suppression of a detector's boxes, within a class.",
            gt=0.0,
            le=1.0,
        ),
    ]
    max_boxes: Annotated[
        int,
        Field(
            description="At most so many boxes of an image are ranked, the best-scoring ones.",
            ge=1,
            le=1000,
        ),
    ]


class BaselineSpec(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["baseline"]
    trial_id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    sources_sha256: Annotated[
        str,
        Field(
            description="Hash of cliprpn's Python sources and of the environment's lock; an outcome made by others is stale.",
            pattern="^[0-9a-f]{64}$",
        ),
    ]
    label: Annotated[
        str,
        Field(
            description="What sets this trial's setting apart, for people: `fusion=film`."
        ),
    ]
    seed: Annotated[int, Field(ge=0, le=4294967295)]
    num_threads: Annotated[int, Field(ge=1, le=1024)]
    device: Annotated[str, Field(pattern="^(cpu|mps|cuda:[0-9]+)$")]
    dataset: TrialDataset
    backbone: TrialBackbone
    baseline: BaselineSettings
    limits: Limits
    cache_dir: Annotated[
        str,
        Field(
            description="Absolute path of the folder for frozen features and data-set indices.",
            min_length=1,
        ),
    ]


class RunTrialMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: RunTrialParams
    result: RunTrialResult


class IndexDatasetMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: IndexDatasetParams
    result: IndexDatasetResult


class SummarizeMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: SummarizeParams
    result: Summary


class ReadAnnotationsMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: ReadAnnotationsParams
    result: ReadAnnotationsResult


class CheckDetectorParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    settings: BaselineSettings
    dataset: TrialDataset
    cache_dir: str


class CheckFusionParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    spec: ClipRpnSpec


class DatasetStats(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    facts: PreparedDataset
    num_objects: Annotated[int, Field(description="Of all images.", ge=0)]
    num_coco_train2014: Annotated[
        int,
        Field(
            description="Images whose file name says that they are COCO's train2014.",
            ge=0,
        ),
    ]
    word_bins: Annotated[list[WordBin], Field(description="Of `word_histogram`.")]
    area_cuts: Annotated[
        AreaCuts | None,
        Field(
            description="Of a box's area as a share of its image: RefCOCOg's terciles, and this set's own; null where nobody tells the images' sizes."
        ),
    ]
    splits: list[SplitStats]
    overlaps: Annotated[list[SplitOverlap], Field(description="Every pair of splits.")]
    table_checks: list[TableCheck]
    examples: Annotated[
        list[SentenceExample],
        Field(
            description="A seeded choice over splits, categories and areas, for the contact sheet."
        ),
    ]


class TrialSpec(RootModel[ClipRpnSpec | BaselineSpec]):
    root: Annotated[
        ClipRpnSpec | BaselineSpec,
        Field(
            description="One trial, fully resolved: Python fills in nothing. `trial_id` hashes what decides the result (settings, seed, data, weights, num_threads), never paths or devices.",
            discriminator="kind",
            title="TrialSpec",
        ),
    ]


class CheckFusionMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: CheckFusionParams
    result: CheckFusionResult


class DatasetStatsMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: DatasetStatsParams
    result: DatasetStats


class CheckDetectorMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: CheckDetectorParams
    result: CheckDetectorResult


class BridgeMethods(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    hello: Annotated[HelloMethod, Field(title="HelloMethod")]
    run_trial: Annotated[RunTrialMethod, Field(title="RunTrialMethod")]
    index_dataset: Annotated[IndexDatasetMethod, Field(title="IndexDatasetMethod")]
    check_fusion: Annotated[CheckFusionMethod, Field(title="CheckFusionMethod")]
    evaluate: Annotated[EvaluateMethod, Field(title="EvaluateMethod")]
    summarize: Annotated[SummarizeMethod, Field(title="SummarizeMethod")]
    ground: Annotated[GroundMethod, Field(title="GroundMethod")]
    import_checkpoint: Annotated[
        ImportCheckpointMethod, Field(title="ImportCheckpointMethod")
    ]
    golden: Annotated[GoldenMethod, Field(title="GoldenMethod")]
    read_annotations: Annotated[
        ReadAnnotationsMethod, Field(title="ReadAnnotationsMethod")
    ]
    export_dataset: Annotated[ExportDatasetMethod, Field(title="ExportDatasetMethod")]
    dataset_stats: Annotated[DatasetStatsMethod, Field(title="DatasetStatsMethod")]
    train_detector: Annotated[TrainDetectorMethod, Field(title="TrainDetectorMethod")]
    check_detector: Annotated[CheckDetectorMethod, Field(title="CheckDetectorMethod")]

SCHEMA_SHA256 = "5cacb47767ac9b25166895798e0c0bafb2bcec9593ebec2c7ede65ebe7260a3b"
