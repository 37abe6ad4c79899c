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


class CasePrediction(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    pred_box_xyxy: Annotated[
        list[float],
        Field(
            description="Left, top, right, bottom in pixels of the original picture.",
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
            description="Left, top, right, bottom in pixels of the original picture.",
            max_length=4,
            min_length=4,
            title="BoxXyxy",
        ),
    ]
    predictions: list[CasePrediction]


class CheckFusionResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_parameters: int


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


class SeedFigure(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    seed: int
    value: float


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
    image_file: str
    sentence: Annotated[str, Field(min_length=1)]


class GroundResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    pred_box_xyxy: Annotated[
        list[float],
        Field(
            description="In pixels of the picture the right way up: its EXIF rotation is applied.",
            max_length=4,
            min_length=4,
            title="BoxXyxy",
        ),
    ]
    objectness: Annotated[float, Field(description="The box's score, in [0, 1].")]
    image_width: int
    image_height: int
    sentence: str


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


class SplitCounts(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    split: str
    num_images: int
    num_refs: int
    num_sentences: int


class IndexDatasetResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    splits: list[SplitCounts]


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


class ProgressEvent(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["progress"]
    phase: Literal["index", "image_features", "text_features", "training", "evaluation"]
    done: Annotated[int, Field(ge=0)]
    total: Annotated[int, Field(ge=0)]


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


class RunTrialParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    trial_dir: Annotated[
        str, Field(description="Absolute path; holds spec.json, gets outcome.json.")
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
    split: Literal["train", "val", "test"]
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


class Training(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_epochs: Annotated[int, Field(ge=1, le=10000)]
    batch_size: Annotated[int, Field(description="Sentences per step.", ge=1, le=65536)]
    batch_by: Annotated[
        Literal["sentence", "picture"],
        Field(
            description="What is shuffled: every `sentence` (the original), or every `picture` with its sentences together, which learns faster."
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
    id: Annotated[str, Field(description="Hash of the annotation files.", min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    root: Annotated[
        str,
        Field(
            description="Absolute path of the folder in RefCOCOg's own layout.",
            min_length=1,
        ),
    ]
    split_by: Literal["umd", "google"]


class WarningEvent(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["warning"]
    message: str


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
        int, Field(description="Counted from 1; chosen on val.", ge=1)
    ]
    epochs: list[Epoch]
    metrics: Annotated[Metrics, Field(description="Of the best epoch, on val.")]
    num_trainable_parameters: Annotated[int, Field(ge=0)]
    durations_ms: Durations
    peak_memory_bytes: PeakMemory
    environment: Environment


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
    split: Literal["train", "val", "test"]
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


class IndexDatasetParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    dataset: TrialDataset
    cache_dir: str


class Settings(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    image_size_px: Annotated[
        int,
        Field(
            description="Side of the square that a picture is squashed to before CLIP, in pixels; a multiple of 32.",
            ge=64,
            le=1024,
            multiple_of=32,
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
            description="How sentence and picture are joined.",
            discriminator="kind",
            title="Fusion",
        ),
    ]
    anchors: Anchors
    rpn: Rpn
    training: Training
    limits: Limits


class StratumSummary(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    stratum: str
    num_sentences: Annotated[int, Field(ge=0)]
    num_pairs: Annotated[int, Field(description="Minimal pairs among them.", ge=0)]
    figures: list[Figure]


class TrialEvent(RootModel[ProgressEvent | EpochEvent | WarningEvent]):
    root: Annotated[
        ProgressEvent | EpochEvent | WarningEvent,
        Field(
            description="One-way news from Python while a call runs; only for people watching.",
            discriminator="type",
            title="TrialEvent",
        ),
    ]


class TrialSpec(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
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


class IndexDatasetMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: IndexDatasetParams
    result: IndexDatasetResult


class EvaluateMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: EvaluateParams
    result: EvaluateResult


class CheckFusionParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    spec: Annotated[
        TrialSpec,
        Field(
            description="Its fusion is built and shape-checked with its backbone's sizes."
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


class Summary(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    split: Literal["train", "val", "test"]
    num_sentences: Annotated[int, Field(ge=0)]
    num_images: Annotated[int, Field(ge=0)]
    confidence: Annotated[
        float, Field(description="Level of every interval.", gt=0.0, lt=1.0)
    ]
    num_resamples: Annotated[
        int, Field(description="Of the bootstrap over pictures.", ge=1)
    ]
    settings: Annotated[
        list[SettingSummary], Field(description="Best first, by acc_at_50.")
    ]
    comparisons: Annotated[
        list[Comparison],
        Field(
            description="The best setting against each other one, on the same sentences."
        ),
    ]
    floors: list[Floor]
    gallery: Gallery


class RunTrialMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: RunTrialParams
    result: RunTrialResult


class CheckFusionMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: CheckFusionParams
    result: CheckFusionResult


class SummarizeMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: SummarizeParams
    result: Summary


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

SCHEMA_SHA256 = "ae66213dae9da0cbf2f2eda95135911115f550cf4dddf3e0093bc5ac2c2f869c"
