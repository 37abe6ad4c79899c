# Generated from src/contract/schema by `npm run generate`. Do not edit.

from __future__ import annotations

from typing import Annotated, Any, Literal
from pydantic import BaseModel, ConfigDict, Field, RootModel


class Model(RootModel[Any]):
    root: Any


class AccuracyAtIou(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    iou: Annotated[float, Field(ge=0.0, le=1.0)]
    value: Annotated[float, Field(ge=0.0, le=1.0)]


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
            description="Position of the anchors: on cell corners (as in ClipRPN (Trento)) or on cell centers."
        ),
    ]
    scales_px: Annotated[
        list[ScalesPxItem],
        Field(
            description="Square roots of the anchor areas, in pixels of the frame.",
            max_length=16,
            min_length=1,
        ),
    ]
    ratios: Annotated[
        list[Ratio],
        Field(
            description="Aspect ratios (height / width).", max_length=16, min_length=1
        ),
    ]


class AnswerExample(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["missing", "unparsed", "duplicate", "stranger", "other_ground_truth"]
    where: Annotated[
        str, Field(description="File and line; for a missing answer, the expression.")
    ]
    text: str


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


class AuditWord(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    word: str
    iou: Annotated[
        float | None,
        Field(
            description="Of the box without this word with the box of the whole expression, mean over runs; null if there is none.",
            ge=0.0,
            le=1.0,
        ),
    ]


class Template(RootModel[str]):
    root: Annotated[str, Field(pattern="^[^{}]*\\{\\}[^{}]*$")]


class BaselineSplit(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    key: Annotated[
        str, Field(description="Of dataset and split; work on the same one is shared.")
    ]
    num_images: Annotated[int, Field(ge=0)]
    num_sentences: Annotated[int, Field(ge=0)]


class FitKnot(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    score: float
    probability: Annotated[float, Field(ge=0.0, le=1.0)]


class RiskAtCoverage(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    coverage: Annotated[float, Field(ge=0.0, le=1.0)]
    risk: Annotated[float, Field(ge=0.0, le=1.0)]


class CancelRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Literal[1]
    grace_s: Annotated[
        float,
        Field(description="Time to stop, after which the pilot kills it.", ge=0.0),
    ]


class CasePrediction(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    pred_box_xyxy: Annotated[
        list[float],
        Field(
            description="Left, top, right, bottom, in pixels of the original image.",
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
            description="Left, top, right, bottom, in pixels of the original image.",
            max_length=4,
            min_length=4,
            title="BoxXyxy",
        ),
    ]
    predictions: list[CasePrediction]
    upright: Annotated[
        bool,
        Field(
            description="True if the boxes are in the coordinate frame of the image after its EXIF rotation."
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
        int | None, Field(description="Null when its boxes have no class.", ge=1)
    ]


class CheckFusionResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_parameters: Annotated[int, Field(description="Of the fusion.")]
    checkpoint_bytes: Annotated[
        int,
        Field(
            description="Size of the weights of the whole model, as saved for one epoch."
        ),
    ]


class CheckedNodeCache(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    folder: Annotated[str, Field(description="With the node's variables.")]
    problem: Annotated[
        str | None, Field(description="Why it cannot be written; null if it can.")
    ]
    free_bytes: Annotated[
        int | None,
        Field(
            description="Free space on its disk; null if it cannot be written.", ge=0
        ),
    ]


class CheckpointHead(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    sources_sha256: Annotated[
        str,
        Field(
            description="Hash of the code that wrote it; only the same code continues it."
        ),
    ]
    training_ms: Annotated[
        float,
        Field(
            description="Training up to it, of all attempts that it continues; without the start of workers and the features.",
            ge=0.0,
        ),
    ]


class CodeHashes(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    cliprpn: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    baseline: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Columns(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    image: Annotated[str, Field(min_length=1)]
    sentence: Annotated[str, Field(min_length=1)]
    box: Annotated[str, Field(min_length=1)]
    split: Annotated[str, Field(min_length=1)]
    width: Annotated[str | None, Field(min_length=1)] = None
    height: Annotated[str | None, Field(min_length=1)] = None
    category: Annotated[str | None, Field(min_length=1)] = None
    image_id: Annotated[str | None, Field(min_length=1)] = None
    ann_id: Annotated[str | None, Field(min_length=1)] = None
    ref_id: Annotated[str | None, Field(min_length=1)] = None
    sent_id: Annotated[str | None, Field(min_length=1)] = None


class ColumnsFrame(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["columns"]


class CompareDatasetsParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    cache_dir: Annotated[str, Field(description="Keeps the hashes of images.")]
    roots: Annotated[list[str], Field(description="Folders of prepared datasets.")]


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


class CrossChecks(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    sign_flip_p: Annotated[
        float, Field(description="Sign flips by image.", ge=0.0, le=1.0)
    ]
    wilcoxon_p: Annotated[
        float, Field(description="Wilcoxon signed-rank by image.", ge=0.0, le=1.0)
    ]
    mcnemar_p: Annotated[
        list[float],
        Field(
            description="Exact McNemar for each common position in the lists of seeds."
        ),
    ]


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
        Literal["whole_image", "constant_box"],
        Field(
            description="The whole image, or the constant box that fits the train split best."
        ),
    ]
    miou: float
    acc_at_50: float


class DatasetFolder(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    id: str
    root: str


class DatasetRef(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    id: str
    name: str


class DatasetStatsParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    root: Annotated[str, Field(description="Folder of a prepared dataset.")]
    hash_pixels: Annotated[
        bool,
        Field(
            description="If true, images are also compared by their pixels, which reads every image."
        ),
    ]


class DescribeMachineParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )


class Durations(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    features: Annotated[
        float,
        Field(
            description="Opening the frozen features, and extracting them if needed.",
            ge=0.0,
        ),
    ]
    training: Annotated[
        float,
        Field(
            description="With that of the attempts that were continued, up to their checkpoints.",
            ge=0.0,
        ),
    ]
    evaluation: Annotated[float, Field(ge=0.0)]
    total: Annotated[float, Field(ge=0.0)]


class EndRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["stop"]


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
    cpu_name: Annotated[
        str | None,
        Field(
            description="Model of the processor, also where the device is a GPU. Missing in files of earlier versions."
        ),
    ] = None
    host: Annotated[
        str | None,
        Field(
            description="Name of the machine, as its cluster or it itself has it. Missing in files of earlier versions, in archives and in reports."
        ),
    ] = None


class Epoch(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    epoch: Annotated[int, Field(description="Counted from 1.", ge=1)]
    num_epochs: Annotated[int, Field(ge=1)]
    loss: Annotated[
        float, Field(description="Mean over the referring expressions of the epoch.")
    ]
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


class ErrorExample(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    error_class: Annotated[
        Literal[
            "hit",
            "wrong_category",
            "wrong_instance",
            "loose_box",
            "background",
            "no_answer",
            "unknown",
        ],
        Field(
            description="Exclusive classes of an answer, defined in figures/error_classes.py: `hit` is an IoU of at least 0.5; `no_answer` an empty box, or a detector that found nothing; the others are about the annotated object of the image that the answer overlaps most. `unknown`: the dataset does not tell.",
            title="ErrorClassName",
        ),
    ]
    sent_id: int
    image_file: Annotated[str, Field(description="Absolute path.")]
    upright: Annotated[
        bool,
        Field(
            description="True if the boxes are in the coordinate frame of the image after its EXIF rotation."
        ),
    ]
    sentence: str
    gt_box_xyxy: Annotated[
        list[float],
        Field(
            description="Left, top, right, bottom, in pixels of the original image.",
            max_length=4,
            min_length=4,
            title="BoxXyxy",
        ),
    ]
    pred_box_xyxy: Annotated[
        list[float],
        Field(
            description="Left, top, right, bottom, in pixels of the original image.",
            max_length=4,
            min_length=4,
            title="BoxXyxy",
        ),
    ]
    iou: float


class ErrorInfo(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    code: Annotated[
        Literal[
            "bad_input",
            "canceled",
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
            "not_deterministic",
            "not_found",
            "out_of_memory",
            "package_missing",
            "pruned",
            "python_unsuitable",
            "timed_out",
            "unsupported_platform",
            "weights_mismatch",
            "weights_missing",
            "weights_unsafe",
            "worker_died",
            "worker_killed",
        ],
        Field(
            description="The code of an error; errors.ts maps each code to the exit code of the process.",
            title="ErrorCode",
        ),
    ]
    message: str


class ExplorerImages(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    file: Annotated[list[str], Field(description="Relative to images_dir.")]
    width: Annotated[list[int], Field(description="Pixels of the original image.")]
    height: list[int]
    upright: Annotated[
        list[bool],
        Field(
            description="True if boxes are in the frame of the image after its EXIF rotation."
        ),
    ]


class ExplorerSubset(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    by: str
    groups: list[str]
    group: Annotated[
        list[int],
        Field(
            description="Position of the expression's group in `groups`; -1 without a group."
        ),
    ]


class ExportChangesResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_questions: Annotated[int, Field(ge=0)]
    num_expressions: Annotated[int, Field(ge=0)]


class ExportDatasetParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    root: Annotated[str, Field(description="Folder of a prepared dataset.")]
    format: Literal["jsonl", "coco"]
    box_format: Annotated[
        Literal[
            "xywh",
            "xyxy",
            "cxcywh_norm",
            "xywh_norm",
            "xyxy_norm",
            "xywh_1000",
            "xyxy_1000",
        ],
        Field(
            description="Format of the boxes: in pixels of the original image, in normalized coordinates (`_norm`), or from 0 to 1000 in both directions (`_1000`).",
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
    schema_version: Annotated[Literal[1], Field(description="Version of the format.")]
    state: Literal["failed"]
    trial_id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    sources_sha256: Annotated[
        str,
        Field(
            description="Hash of the code that ran the trial, for its kind.",
            pattern="^[0-9a-f]{64}$",
        ),
    ]
    finished_at: str
    error: ErrorInfo
    traceback_file: Annotated[
        str | None,
        Field(
            description="File in the folder of outcome.json; null when there is none."
        ),
    ]


class Class(RootModel[str]):
    root: Annotated[str, Field(min_length=1)]


class FeatureNeed(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    maps_key: Annotated[str, Field(description="Folder of the cached feature maps.")]
    text_key: Annotated[str, Field(description="Folder of the cached text features.")]
    has_maps: Annotated[bool, Field(description="True if they are in the cache.")]
    has_text: bool
    num_images: Annotated[int, Field(ge=0)]
    num_sentences: Annotated[int, Field(ge=0)]
    num_view_images: Annotated[
        int,
        Field(
            description="Images that augmented views are made of: those of the train split.",
            ge=0,
        ),
    ]
    num_missing_views: Annotated[
        int, Field(description="Augmented views that are not in the cache.", ge=0)
    ]
    num_missing_mirrored: Annotated[
        int,
        Field(
            description="Mirrored sentences whose features are not in the cache.", ge=0
        ),
    ]


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
    file: Annotated[str, Field(description="Absolute path of the file or folder.")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    box_format: Annotated[
        Literal[
            "xywh",
            "xywh_norm",
            "xywh_1000",
            "xyxy",
            "xyxy_norm",
            "xyxy_1000",
            "cxcywh",
            "cxcywh_norm",
            "cxcywh_1000",
            "yxyx",
            "yxyx_norm",
            "yxyx_1000",
        ]
        | None,
        Field(
            description="What the four numbers of a box are: pixels, normalized to [0, 1] (_norm), or 0 to 1000 (_1000). null for what is usual for the file's layout, which is checked."
        ),
    ]
    score_max: Annotated[
        float | None,
        Field(
            description="The score of a certain detection, such as 100 for percent. null for 1.",
            gt=0.0,
            le=1000000.0,
        ),
    ]
    category_ids: Annotated[
        Literal["coco", "coco80", "coco80_from_1", "none"] | None,
        Field(
            description="The class of each category_id, if the file has no class names: COCO's ids 1 to 90 (coco), COCO's 80 classes from 0 (coco80) or from 1 (coco80_from_1), or boxes without class (none). null for the numbering that agrees with the annotated objects."
        ),
    ]


class FileFusion(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["file"]
    file: Annotated[
        str,
        Field(
            description="Absolute path of the file, a colon, and the class: /home/me/my_fusion.py:MyFusion.",
            pattern="^.+\\.py:[A-Za-z_][A-Za-z0-9_]*$",
        ),
    ]
    params: Annotated[
        dict[str, Any],
        Field(description="Keyword arguments of the class, as finite JSON values."),
    ]
    source_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class FixedFrame(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["fixed"]
    width: Annotated[int, Field(description="Pixels.", ge=1, le=1000000)]
    height: Annotated[int, Field(description="Pixels.", ge=1, le=1000000)]


class FoundRoot(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    folder: Annotated[str, Field(description="On the node.")]
    is_folder: bool
    has_token: Annotated[
        bool,
        Field(
            description="Whether it has the file that the other machine has just created in its folder."
        ),
    ]
    names_sha256: Annotated[
        str | None,
        Field(
            description="Hash of the names in it, for a folder in which the other machine may not create a file; null if it cannot be read."
        ),
    ]


class GalleryExample(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    cases: Annotated[
        list[Case],
        Field(description="One, or the two of a minimal pair.", min_length=1),
    ]


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
        Field(description="A .safetensors file with a .json file of the same name."),
    ]
    backbone_weights: Annotated[
        str | None,
        Field(
            description="`shipped`, `openai` or a file; null for the file that the model recorded."
        ),
    ]
    sentence: Annotated[str, Field(min_length=1)]
    pixels_manifest: Annotated[
        str,
        Field(
            description="Absolute path of the manifest.json of a folder of pixels with exactly one image."
        ),
    ]


class GroundResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    pred_box_xyxy: Annotated[
        list[float],
        Field(
            description="In pixels of the image after its EXIF rotation is applied.",
            max_length=4,
            min_length=4,
            title="BoxXyxy",
        ),
    ]
    objectness: Annotated[float, Field(description="Score of the box, in [0, 1].")]
    hit_probability: Annotated[
        float | None,
        Field(
            description="Probability that the IoU with the object is at least 0.5, by a fit of hits on val to the score; null if the model has no such fit.",
            ge=0.0,
            le=1.0,
        ),
    ]
    sure: Annotated[
        bool | None,
        Field(
            description="True if the score is at least the smallest one whose hit_probability is 0.5; null if hit_probability is null."
        ),
    ]
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
        str | None,
        Field(
            description="auto, cpu, cuda, cuda:I or mps; Python resolves `auto` and raises an error for a device that is not available. Null for a process that only reads answers and computes figures, which starts without torch.",
            pattern="^(auto|cpu|mps|cuda(:[0-9]+)?)$",
        ),
    ]
    num_threads: Annotated[int | None, Field(ge=1)]


class HelloResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_sha256: str
    sources_sha256: CodeHashes
    code_folder: Annotated[
        str,
        Field(
            description="Absolute path of the Python package `cliprpn` that is running."
        ),
    ]
    environment: Annotated[
        Environment | None, Field(description="Null without a device.")
    ]
    pid: int


class ImageOriginCount(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    origin: Annotated[
        Literal[
            "coco_train2014",
            "coco_val2014",
            "coco_train2017",
            "coco_val2017",
            "coco",
            "visual_genome",
            "flickr30k",
            "objects365",
            "open_images",
            "other",
        ],
        Field(
            description="A published collection of images; `coco` for an image of COCO whose split is unknown.",
            title="ImageOrigin",
        ),
    ]
    num_images: Annotated[int, Field(ge=1)]


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
        str | None, Field(description="The CLIP weights in the checkpoint, if any.")
    ]
    num_parameters: int


class Interval(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    mean: float
    low: float | None
    high: float | None


class IntervalSoFar(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    low: Annotated[float, Field(ge=0.0, le=1.0)]
    high: Annotated[float, Field(ge=0.0, le=1.0)]


class IntervalsSoFar(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    intervals: Annotated[
        list[IntervalSoFar | None],
        Field(
            description="Of Acc@0.5, in the order of the configurations; null where the data supports none."
        ),
    ]


class CompletedConfiguration(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    has_seeds: Annotated[
        bool, Field(description="Whether training again gives another result.")
    ]
    predictions_dirs: Annotated[
        list[str],
        Field(
            description="Folders that contain predictions-<split>.parquet, one for each completed trial.",
            min_length=1,
        ),
    ]


class JoinDatasetsResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_images: Annotated[int, Field(description="Images to train on.", ge=0)]
    num_sentences: Annotated[
        int, Field(description="Referring expressions to train on.", ge=0)
    ]
    num_images_left_out: Annotated[
        int,
        Field(
            description="Images of the train splits that an evaluation split has, too.",
            ge=0,
        ),
    ]
    num_sentences_left_out: Annotated[int, Field(ge=0)]
    num_val_images_tested: Annotated[
        int,
        Field(
            description="Images of val, which chooses the model, that one of the test splits has, too.",
            ge=0,
        ),
    ]
    orientation: Annotated[
        Literal["stored", "upright"],
        Field(description="The frame of the boxes of rotated images."),
    ]


class Limits(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    train: Annotated[int | None, Field(ge=1)]
    val: Annotated[int | None, Field(ge=1)]
    test: Annotated[int | None, Field(ge=1)]


class LongSideFrame(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["long_side"]
    length: Annotated[int, Field(description="Pixels.", ge=1, le=1000000)]


class MachineDescription(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    environment: Environment
    devices: Annotated[list[str], Field(description="All that torch finds.")]
    device_memory_bytes: Annotated[
        int | None, Field(description="Of a CUDA device; null for others.", ge=0)
    ]
    cuda_version: Annotated[
        str | None,
        Field(description="That torch was built with; null for a build without CUDA."),
    ]


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
            description="Fraction of minimal pairs with both referring expressions correct; null when the dataset has no pairs.",
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


class OnlyList(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    file: Annotated[
        str,
        Field(description="Absolute path of a list of ids, as for `prepare --only`."),
    ]
    name: Annotated[str, Field(description="Shown in the report.")]


class OriginalFrame(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["original"]


class PaddedFrame(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["padded"]
    length: Annotated[
        int | None,
        Field(
            description="Side of the square, pixels; null: the longer side of the original image.",
            ge=1,
            le=1000000,
        ),
    ]
    align: Annotated[
        Literal["center", "top_left"],
        Field(description="Where the image lies in the square."),
    ]


class PeakMemory(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    process: Annotated[
        int,
        Field(description="Peak resident memory of the Python process so far.", ge=0),
    ]
    device: Annotated[
        int | None,
        Field(
            description="Peak memory allocated on the accelerator in this trial; null on the CPU.",
            ge=0,
        ),
    ]


class PreflightFigure(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    value: float
    unit: Annotated[str, Field(description="Empty for a plain number.")]
    low: Annotated[
        float | None,
        Field(description="Smallest value that passes; null for no limit."),
    ]
    high: Annotated[
        float | None, Field(description="Largest value that passes; null for no limit.")
    ]


class PreparedImage(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    file_name: Annotated[str, Field(min_length=1)]
    bytes: Annotated[
        int, Field(description="Size of the file when it was decoded.", ge=0)
    ]
    mtime_ms: float
    width: Annotated[
        int, Field(description="In the coordinate frame of the boxes, in pixels.", ge=0)
    ]
    height: Annotated[int, Field(ge=0)]
    upright: Annotated[
        bool, Field(description="True if the file's EXIF rotation was applied.")
    ]
    orientation: Annotated[
        int | None,
        Field(
            description="The file's EXIF orientation, if it is not 1; absent in files of earlier versions.",
            ge=2,
            le=8,
        ),
    ] = None
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
            description="Reason why the image has no pixels: missing, broken, or a different size. Its row is black."
        ),
    ]


class PreparedPart(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    make: Literal["features", "detections", "embeddings"]
    label: Annotated[str, Field(description="Of the trial.")]
    duration_ms: Annotated[float, Field(ge=0.0)]
    error: ErrorInfo | None


class ProcessIdentity(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    host: str
    machine_id: str | None
    boot_id: str | None
    pid: int
    pid_namespace: str | None
    process_start: Annotated[str | None, Field(description="In the system's own unit.")]


class ProgressEvent(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["progress"]
    phase: Literal[
        "index",
        "image_features",
        "text_features",
        "features_copy",
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
            description="Fraction of referring expressions with a hit among the k boxes with the highest detector scores, which ignore the expression."
        ),
    ]
    best_proposal: Annotated[
        Interval, Field(description="Acc@0.5 of a perfect ranking.")
    ]
    lost_by_proposals: Annotated[
        Interval,
        Field(
            description="Fraction of referring expressions without a hit among all boxes."
        ),
    ]
    lost_by_ranking: Annotated[
        Interval,
        Field(
            description="Fraction of referring expressions with a hit among the boxes, but with a wrong box ranked first."
        ),
    ]
    mean_num_boxes: Annotated[float, Field(ge=0.0)]
    num_images_without: Annotated[
        int,
        Field(
            description="Images without detections; the whole image is their prediction.",
            ge=0,
        ),
    ]
    num_sentences_without: Annotated[int, Field(ge=0)]


class PublishedSource(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    name: Annotated[
        str,
        Field(
            description="As people call its splits, such as `refcocog-umd`.",
            min_length=1,
        ),
    ]
    file: Annotated[
        str,
        Field(
            description="Its refs file, such as `refs(umd).p`, or the sentences.parquet of the prepared dataset.",
            min_length=1,
        ),
    ]


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


class QueueSettings(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Annotated[Literal[1], Field(description="Version of the format.")]
    controller: Annotated[
        str,
        Field(
            description="Random id of the process that runs the sweep. One that finds another id here stops writing to the queue."
        ),
    ]
    runs_dir: Annotated[
        str,
        Field(
            description="Absolute path of the runs folder on the controller's machine. A pilot replaces it at the start of paths by its own path of that folder."
        ),
    ]
    sources_sha256: CodeHashes
    schema_sha256: Annotated[str, Field(description="Of this contract.")]
    num_threads: Annotated[
        int | None,
        Field(description="CPU threads of each trial; null for torch's default."),
    ]
    beat_s: Annotated[
        float,
        Field(
            description="Time between two heartbeats of a pilot: changes of the modification time of its file in pilots/.",
            gt=0.0,
        ),
    ]
    lease_s: Annotated[
        float,
        Field(
            description="A pilot without a heartbeat for this time, as the controller sees it, has lost its attempt.",
            gt=0.0,
        ),
    ]
    roots: Annotated[
        dict[str, Any] | None,
        Field(
            description="Folders of the controller's machine, and what they are called where pilots run; what a pilot was told itself comes first."
        ),
    ] = None


class RankInterval(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    low: Annotated[int, Field(ge=1)]
    high: Annotated[int, Field(ge=1)]


class RestartEvent(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["restart"]
    epoch: Annotated[
        Epoch | None, Field(description="The last one that counts; null for the start.")
    ]


class ResumedFrom(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    attempt: Annotated[
        int | None,
        Field(
            description="Number of the attempt that wrote the checkpoint; null if its folder has another name.",
            ge=1,
        ),
    ]
    epoch: Annotated[
        int,
        Field(
            description="The epoch that training continued in, from 1; one more than the number of epochs if only the evaluation was left.",
            ge=1,
        ),
    ]
    step: Annotated[
        int,
        Field(description="Steps of this epoch that the checkpoint contains.", ge=0),
    ]


class ReviewedFigure(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    acc_at_50: Interval
    rank_all: Annotated[int, Field(ge=1)]
    rank_reviewed: Annotated[int, Field(ge=1)]


class RisingRemark(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["still_rising"]
    labels: list[str]


class Rpn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    fg_iou_thresh: Annotated[
        float,
        Field(
            description="An anchor with at least this IoU is positive; the best anchor is always positive.",
            gt=0.0,
            le=1.0,
        ),
    ]
    bg_iou_thresh: Annotated[
        float,
        Field(
            description="An anchor below this IoU is negative; must not exceed fg_iou_thresh.",
            gt=0.0,
            le=1.0,
        ),
    ]
    objectness_loss: Annotated[
        Literal["sampled_bce", "softmax"],
        Field(
            description="`sampled_bce`: binary cross-entropy over sampled anchors (as in ClipRPN (Trento)). `softmax`: cross-entropy over all anchors."
        ),
    ]
    box_loss: Annotated[
        Literal["over_sampled", "over_positives"],
        Field(
            description="Smooth L1 loss of the positives, divided by the number of sampled anchors (`over_sampled`, as in ClipRPN (Trento)) or of positives (`over_positives`)."
        ),
    ]
    box_loss_weight: Annotated[float, Field(ge=0.0, le=1000.0)]
    batch_size_per_image: Annotated[
        int,
        Field(
            description="Anchors sampled per referring expression for `sampled_bce`.",
            ge=2,
            le=100000,
        ),
    ]
    positive_fraction: Annotated[
        float,
        Field(
            description="Maximum fraction of positives among the sampled anchors.",
            gt=0.0,
            le=1.0,
        ),
    ]
    pre_nms_top_n: Annotated[
        int,
        Field(
            description="Proposals kept before non-maximum suppression, during evaluation: those that Recall@k is computed from. No best box depends on it.",
            ge=1,
            le=100000,
        ),
    ]
    post_nms_top_n: Annotated[
        int,
        Field(
            description="Proposals kept after non-maximum suppression, during evaluation.",
            ge=1,
            le=100000,
        ),
    ]
    nms_thresh: Annotated[float, Field(gt=0.0, le=1.0)]
    negatives_loss_weight: Annotated[
        float,
        Field(
            description="Weight of the loss that contrasts the referred object with other objects of its category in the image; 0 disables it (as in ClipRPN (Trento)).",
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


class SameCategory(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    one: Annotated[int, Field(ge=0)]
    two: Annotated[int, Field(ge=0)]
    three_or_more: Annotated[int, Field(ge=0)]
    unknown: Annotated[
        int, Field(description="The category of the object is unknown.", ge=0)
    ]


class SampleExpressionsParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    root: Annotated[str, Field(description="Folder of a prepared dataset.")]
    num_expressions: Annotated[int, Field(ge=1)]


class SeedsRemark(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["seeds"]
    label: str
    num_completed: Annotated[int, Field(ge=0)]
    num_planned: Annotated[int, Field(ge=0)]


class ConventionFigure(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    convention: Annotated[
        Literal["plus_one_pixel", "above", "rounded"],
        Field(
            description="`plus_one_pixel`: boxes include their last pixel, as in Fast R-CNN's code. `above`: an IoU above 0.5, not at least, as in VLM-R1's. `rounded`: predictions rounded to whole pixels.",
            title="Convention",
        ),
    ]
    acc_at_50: Annotated[float, Field(ge=0.0, le=1.0)]


class SharedExample(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    first: str
    second: str


class ShortSideFrame(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["short_side"]
    length: Annotated[int, Field(description="Pixels.", ge=1, le=1000000)]
    max_length: Annotated[int | None, Field(ge=1)]


class SmartResizeFrame(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["smart_resize"]
    factor: Annotated[
        int,
        Field(
            description="28 for Qwen2-VL and Qwen2.5-VL, 32 for Qwen3-VL.",
            ge=1,
            le=1000000,
        ),
    ]
    min_pixels: Annotated[int, Field(description="Smallest area.", ge=1, le=1000000)]
    max_pixels: Annotated[int, Field(description="Largest area.", ge=1)]


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
            description="Images of the second split that are also in the first, by id or by file name.",
            ge=0,
        ),
    ]
    num_identical_pixels: Annotated[
        int | None,
        Field(
            description="Images of the second split whose prepared pixels equal those of a different image of the first; null when pixels were not compared.",
            ge=0,
        ),
    ]
    num_refs: Annotated[int, Field(ge=0)]
    num_objects: Annotated[int, Field(ge=0)]
    num_sentences: Annotated[
        int,
        Field(
            description="Referring expressions of the second split with the image, the box and the words of one of the first.",
            ge=0,
        ),
    ]
    examples: Annotated[
        list[str], Field(description="File names of a few shared images.")
    ]


class SubsetSummary(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    by: Annotated[
        Literal[
            "stratum",
            "area_tercile",
            "area_tercile_refcocog",
            "sentence_length",
            "num_same_category",
            "reviewed",
        ],
        Field(
            description="`area_tercile` are terciles of this split, `area_tercile_refcocog` those of RefCOCOg (9 % and 20 % of the image). `reviewed`: the expressions of a list.",
            title="SubsetKind",
        ),
    ]
    group: str
    num_sentences: Annotated[int, Field(ge=0)]
    num_images: Annotated[int, Field(ge=0)]
    num_pairs: Annotated[int, Field(ge=0)]
    chance: Annotated[
        float | None,
        Field(
            description="Same-category chance; null where num_same_category is unknown for all.",
            ge=0.0,
            le=1.0,
        ),
    ]


class SwitchedFusion(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["switched"]
    text: Annotated[
        Literal["pooled", "words"],
        Field(
            description="One embedding for the referring expression (`pooled`), or one per token (`words`)."
        ),
    ]
    interaction: Annotated[
        Literal["additive", "multiplicative"],
        Field(
            description="How the text features modify the feature map: added to it or multiplied with it."
        ),
    ]
    coordinates: Annotated[
        Literal["off", "on"],
        Field(
            description="Adds the coordinates of each cell to the input of the fusion."
        ),
    ]


class TableCheck(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    expected: str
    num_checked: Annotated[int, Field(ge=0)]
    num_wrong: Annotated[int, Field(ge=0)]
    examples: Annotated[list[str], Field(description="A few examples of failures.")]


class Timing(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    ms: Annotated[float, Field(ge=0.0)]
    low_ms: Annotated[float, Field(ge=0.0)]
    high_ms: Annotated[float, Field(ge=0.0)]


class TrainDetectorResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    weights_file: Annotated[str, Field(description="Absolute path in the cache.")]
    trained: Annotated[bool, Field(description="False when it already existed.")]


class TrainedYoloDetector(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["trained_yolo"]
    architecture: Annotated[
        str,
        Field(
            description="Name of an ultralytics architecture, such as yolov8n or yolo11n.",
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
    batch_size: Annotated[
        int, Field(description="Referring expressions per step.", ge=1, le=65536)
    ]
    batch_by: Annotated[
        Literal["sentence", "image"],
        Field(
            description="Unit of shuffling: referring expressions (`sentence`, as in ClipRPN (Trento)), or images with all their expressions (`image`), which converges faster."
        ),
    ]
    optimizer: Literal["adam", "adamw"]
    learning_rate: Annotated[
        float,
        Field(
            description="The peak learning rate, if the schedule has a peak.",
            gt=0.0,
            le=10.0,
        ),
    ]
    weight_decay: Annotated[float, Field(ge=0.0, le=10.0)]
    schedule: Literal["constant", "cosine"]
    warmup_fraction: Annotated[
        float,
        Field(
            description="Fraction of all steps in which the learning rate rises linearly to its peak.",
            ge=0.0,
            le=0.9,
        ),
    ]
    grad_clip_norm: Annotated[
        float | None,
        Field(
            description="Maximum norm of the gradient; null for no clipping.", gt=0.0
        ),
    ]
    precision: Annotated[
        Literal["auto", "fp32", "bf16"],
        Field(
            description="Numbers that training computes with. `fp32`: IEEE float32, without TF32. `bf16`: bfloat16 with float32 weights in the optimizer, and losses in float32; on CUDA and on the CPU. `auto`: `bf16` on CUDA, `fp32` on other devices. Evaluation is in float32 in any case. Versions before `precision` had `amp`: true is read as `auto`, false as `fp32`."
        ),
    ]
    deterministic: Annotated[
        bool,
        Field(
            description="Whether all operations must be deterministic, so that another run on the same machine gives the same bits; an operation that cannot is an error. If false, another run may differ in the last digits, and may be faster on CUDA."
        ),
    ]
    cuda_graphs: Annotated[
        bool,
        Field(
            description="Whether training steps are captured as CUDA graphs and replayed, which saves the time to launch their kernels; CUDA only. Results may differ in the last digits. The Python code of a custom fusion then runs only while a graph is captured."
        ),
    ]
    select_by: Annotated[
        Literal["acc_at_50", "miou"],
        Field(description="The metric on val that selects the best epoch."),
    ]
    views: Annotated[
        int,
        Field(
            description="Number of cached augmented views per training image; 0 for none. Each epoch uses the next view of each image.",
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
            description="Absolute path of the prepared dataset's folder.", min_length=1
        ),
    ]
    split_by: Annotated[
        Literal["umd", "google", "unc", "own"],
        Field(
            description="Author of the splits: `umd`, `google` or `unc` for published splits, `own` for custom data.",
            title="SplitBy",
        ),
    ]


class EvaluatedTrial(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    trial_id: str
    seed: Annotated[int, Field(ge=0)]
    val_acc_at_50: Annotated[
        float | None,
        Field(
            description="Null if it was not chosen on val, such as an outside model.",
            ge=0.0,
            le=1.0,
        ),
    ]
    predictions_dir: Annotated[
        str, Field(description="Folder that contains predictions-<split>.parquet.")
    ]
    val_acc_by_epoch: Annotated[
        list[float],
        Field(
            description="acc_at_50 on val after each epoch; empty if nothing was trained."
        ),
    ]


class TrialGroup(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    kind: Annotated[
        Literal["cliprpn", "baseline", "results"],
        Field(description="`results`: answers of an outside model."),
    ]
    is_upper_bound: Annotated[
        bool, Field(description="True for annotated boxes, which no model has.")
    ]
    trials: Annotated[list[EvaluatedTrial], Field(min_length=1)]
    num_planned_seeds: Annotated[
        int, Field(description="Seeds that the experiment asks for.", ge=1)
    ]
    repeats: Annotated[
        Literal["training_seed", "decoding", "prompt"] | None,
        Field(
            description="What differs between the runs of an outside model; absent or null: it has one run, a fixed model."
        ),
    ] = None


class WantedImage(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    image_id: int
    file_name: Annotated[
        str, Field(description="Relative to the image folder.", min_length=1)
    ]
    width: Annotated[
        int | None,
        Field(
            description="As given by the annotations, in pixels; null when unknown.",
            ge=1,
        ),
    ]
    height: Annotated[int | None, Field(ge=1)]
    where: Annotated[
        str | None,
        Field(
            description="File and line of its first mention, such as `rows.jsonl:17`; absent in files of earlier versions."
        ),
    ] = None
    problem: Annotated[
        str | None,
        Field(description="Why the image has no file; such an image is not decoded."),
    ] = None


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
    kind: Literal["whole_image"]


class WordBin(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    min_words: Annotated[int, Field(ge=0)]
    max_words: Annotated[
        int | None,
        Field(description="Inclusive; null when there is no upper limit.", ge=0),
    ]


class WorkerMemory(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    process_bytes: Annotated[
        int | None,
        Field(
            description="Resident memory without mapped files; null where the system does not say.",
            ge=0,
        ),
    ]
    device_bytes: Annotated[
        int | None,
        Field(
            description="Memory of the CUDA device that other processes cannot have; null on other devices.",
            ge=0,
        ),
    ]
    device_left_bytes: Annotated[
        int | None,
        Field(
            description="Memory of the CUDA device that is still in use, besides that of the worker's start and of the frozen features; null on other devices.",
            ge=0,
        ),
    ]


class WorkerReady(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["ready"]
    pid: int
    host: str
    schema_sha256: Annotated[str, Field(description="Of this contract.")]
    sources_sha256: CodeHashes
    code_folder: Annotated[
        str,
        Field(
            description="Absolute path of the Python package `cliprpn` that is running."
        ),
    ]
    environment: Annotated[
        Environment, Field(description="The device and the versions.")
    ]


class YoloDetector(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["yolo"]
    file: Annotated[
        str,
        Field(
            description="Absolute path of the weights: .onnx, or .pt, which can run code when it is loaded."
        ),
    ]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    image_size_px: Annotated[
        int | None,
        Field(
            description="Input size of the detector: images are letterboxed to a square with this side, in pixels. null for the size that the weights were trained with.",
            ge=32,
            le=4096,
            multiple_of=32,
        ),
    ]
    classes: Annotated[
        list[Class] | None,
        Field(
            description="Class names, in the order of the detector's outputs; null for those stored with the weights.",
            max_length=10000,
            min_length=1,
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
            description="Class names, in the order of the detector's outputs; null for COCO's 80 classes.",
            max_length=10000,
            min_length=1,
        ),
    ]


class AnswerTarget(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    dataset: TrialDataset
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    out_dir: Annotated[
        str, Field(description="Absolute path; receives predictions-<split>.parquet.")
    ]


class AreaStats(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    quantiles: Quantiles
    refcocog_shares: Annotated[
        AreaShares,
        Field(
            description="Fractions of small, medium and large boxes by RefCOCOg's terciles."
        ),
    ]
    own_shares: Annotated[
        AreaShares,
        Field(description="The same fractions, by the terciles of this dataset."),
    ]


class AuditKind(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Annotated[
        Literal[
            "blank",
            "shuffled",
            "reversed",
            "content_words",
            "dropped_word",
            "swapped_side",
            "swapped_color",
            "swapped_number",
            "other_expression",
        ],
        Field(
            description="`blank`: no words. `shuffled`: in a random order. `reversed`: from the last to the first. `content_words`: without function words. `dropped_word`: without one word, each in turn. `swapped_side`, `swapped_color`, `swapped_number`: left for right, another color, another number. `other_expression`: one of another object of the same image.",
            title="ChangeKind",
        ),
    ]
    num_changes: Annotated[
        int,
        Field(
            description="Changed expressions; several of one expression for `dropped_word`.",
            ge=0,
        ),
    ]
    num_expressions: Annotated[
        int, Field(description="Expressions that the change applies to.", ge=0)
    ]
    num_images: Annotated[int, Field(ge=0)]
    num_missing: Annotated[
        int | None,
        Field(
            description="Changes without an answer, of all runs: misses. Absent in audits of earlier versions, as the next fields.",
            ge=0,
        ),
    ] = None
    num_unparsed: Annotated[
        int | None,
        Field(
            description="Changes with an answer without a box, of all runs: misses.",
            ge=0,
        ),
    ] = None
    num_compared: Annotated[
        int | None,
        Field(
            description="Changes with a box in each run, also for the unchanged expression: those that `unchanged` and `moved` are about.",
            ge=0,
        ),
    ] = None
    original: Annotated[
        Interval, Field(description="acc_at_50 of the same expressions unchanged.")
    ]
    acc_at_50: Annotated[
        Interval | None,
        Field(
            description="Of the changed expressions, for the object that the unchanged one refers to. Null if `num_compared` is less than half of the changes."
        ),
    ]
    difference: Annotated[
        Interval | None,
        Field(
            description="Changed minus unchanged, paired by image. Null if `num_compared` is less than half of the changes."
        ),
    ]
    p_value: Annotated[float | None, Field(ge=0.0, le=1.0)]
    p_adjusted: Annotated[
        float | None, Field(description="By Holm over the kinds.", ge=0.0, le=1.0)
    ]
    unchanged: Annotated[
        Interval | None,
        Field(
            description="Fraction of compared changes after which the box is the same: an IoU of at least 0.9 with the box of the unchanged expression. Null if `num_compared` is less than half of the changes."
        ),
    ]
    num_with_other: Annotated[
        int,
        Field(
            description="Compared changes in images with another object that the box could move to; 0 where moving is not asked.",
            ge=0,
        ),
    ]
    moved: Annotated[
        Interval | None,
        Field(
            description="Of those: the box has an IoU of at least 0.5, which the box of the unchanged expression has not, with another object: for swaps with one of the same category, for `other_expression` with the object that it refers to. Null where this is not asked or no image has one, and as above."
        ),
    ]


class AuditExample(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    sent_id: int
    sentence: str
    image_file: Annotated[
        str | None,
        Field(description="Absolute path; null if the dataset has no images."),
    ]
    upright: bool
    gt_box_xyxy: Annotated[
        list[float],
        Field(
            description="Left, top, right, bottom, in pixels of the original image.",
            max_length=4,
            min_length=4,
            title="BoxXyxy",
        ),
    ]
    pred_box_xyxy: Annotated[
        list[float],
        Field(
            description="Left, top, right, bottom, in pixels of the original image.",
            max_length=4,
            min_length=4,
            title="BoxXyxy",
        ),
    ]
    iou: float
    words: list[AuditWord]


class AuditSummary(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Annotated[Literal[1], Field(description="Version of the format.")]
    label: str
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    num_expressions: Annotated[int, Field(ge=0)]
    num_images: Annotated[int, Field(ge=0)]
    num_one_word: Annotated[
        int | None,
        Field(
            description="Expressions of fewer than two different words: they have no other order. Absent in audits of earlier versions, as the next fields.",
            ge=0,
        ),
    ] = None
    num_missing: Annotated[
        int | None,
        Field(
            description="Unchanged expressions without an answer, of all runs: misses.",
            ge=0,
        ),
    ] = None
    num_unparsed: Annotated[
        int | None,
        Field(
            description="Unchanged expressions with an answer without a box, of all runs: misses.",
            ge=0,
        ),
    ] = None
    function_words: Annotated[
        list[str] | None,
        Field(description="The words that `content_words` leaves out."),
    ] = None
    num_runs: Annotated[int, Field(ge=0)]
    population: Annotated[
        Literal["procedure", "checkpoints"],
        Field(
            description="What an interval is about: `procedure` is training again with other seeds, on new images; `checkpoints` is these trained models (or a model that trains nothing) on new images.",
            title="Population",
        ),
    ]
    confidence: float
    seed: Annotated[int, Field(description="Of the random order of words.", ge=0)]
    acc_at_50: Interval
    kinds: list[AuditKind]
    ignores_word_order: Annotated[
        bool | None,
        Field(
            description="True if both shuffled and reversed words leave the box the same for at least 90 % of the expressions (lower end of the intervals); false if one of them does for less (upper end); null if the intervals leave it open, with fewer than 30 images, or if fewer than half of the questions have a box."
        ),
    ]
    ignores_expression: Annotated[
        bool | None,
        Field(
            description="True if the accuracy is not significantly above that without words; null with fewer than 30 images, or if fewer than half of the questions without words have a box."
        ),
    ]
    examples: list[AuditExample]


class BehindRemark(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["behind"]
    against: str
    by: Annotated[
        Literal[
            "stratum",
            "area_tercile",
            "area_tercile_refcocog",
            "sentence_length",
            "num_same_category",
            "reviewed",
        ],
        Field(
            description="`area_tercile` are terciles of this split, `area_tercile_refcocog` those of RefCOCOg (9 % and 20 % of the image). `reviewed`: the expressions of a list.",
            title="SubsetKind",
        ),
    ]
    group: str
    difference: Annotated[Interval, Field(description="Of the best, negative.")]


class BelowChanceRemark(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["below_chance"]
    by: (
        Literal[
            "stratum",
            "area_tercile",
            "area_tercile_refcocog",
            "sentence_length",
            "num_same_category",
            "reviewed",
        ]
        | None
    )
    group: str | None
    acc_at_50: Interval
    chance: Annotated[float, Field(ge=0.0, le=1.0)]


class BlankAnswers(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    acc_at_50: Interval
    difference: Annotated[
        Interval, Field(description="With minus without the expression.")
    ]
    p_value: Annotated[
        float | None,
        Field(description="Two-sided; null with fewer than 30 images.", ge=0.0, le=1.0),
    ]


class BlankRemark(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["not_above_blank"]
    difference: Interval


class Breakdown(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    by: Annotated[
        Literal[
            "stratum",
            "area_tercile",
            "area_tercile_refcocog",
            "sentence_length",
            "num_same_category",
            "reviewed",
        ],
        Field(
            description="`area_tercile` are terciles of this split, `area_tercile_refcocog` those of RefCOCOg (9 % and 20 % of the image). `reviewed`: the expressions of a list.",
            title="SubsetKind",
        ),
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


class DescribeMachineMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: DescribeMachineParams
    result: MachineDescription


class ReliabilityBin(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    mean_score: float
    num_sentences: Annotated[float, Field(description="Mean over seeds.", ge=0.0)]
    hits: Annotated[
        Interval, Field(description="Fraction of hits; interval over images.")
    ]


class Calibration(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    bins: Annotated[
        list[ReliabilityBin],
        Field(
            description="Quantile bins of each seed's scores, lowest first; the answers of all seeds."
        ),
    ]
    fit: Annotated[
        list[FitKnot],
        Field(
            description="Monotone fit of hits on scores, of the answers of all seeds; linear between its knots."
        ),
    ]
    expected_calibration_error: Annotated[
        float | None,
        Field(
            description="Mean distance of score and fraction of hits over the bins; null unless scores lie in [0, 1].",
            ge=0.0,
            le=1.0,
        ),
    ]
    risk_coverage: Annotated[
        list[RiskAtCoverage],
        Field(
            description="Fraction of misses among the answers with the highest scores, by their share of all; mean over seeds."
        ),
    ]
    aurc: Annotated[
        float,
        Field(
            description="Area under the risk-coverage curve; mean over seeds.",
            ge=0.0,
            le=1.0,
        ),
    ]
    e_aurc: Annotated[
        float,
        Field(
            description="`aurc` minus that of the best order of the same answers.",
            ge=0.0,
            le=1.0,
        ),
    ]


class CheckExtraParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    name: Annotated[Literal["onnx", "yolo"], Field(title="ExtraName")]
    cache_dir: str


class CheckExtraResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    name: Annotated[Literal["onnx", "yolo"], Field(title="ExtraName")]


class EndpointParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    name: Annotated[str, Field(description="Such as `refcoco-unc:testA`.")]
    dataset: TrialDataset
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    in_primary: Annotated[
        bool,
        Field(
            description="True if it is part of the primary endpoint, the unweighted mean over these."
        ),
    ]
    groups: Annotated[
        list[TrialGroup],
        Field(description="The models that have answers here.", min_length=1),
    ]


class CombineParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    endpoints: Annotated[list[EndpointParams], Field(min_length=1)]
    baseline: str | None
    smallest_difference: Annotated[float | None, Field(gt=0.0, le=1.0)]
    alpha: Annotated[float, Field(gt=0.0, lt=0.5)]
    cache_dir: str


class Endpoint(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    dataset_name: str
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    num_sentences: Annotated[int, Field(ge=0)]
    num_images: Annotated[int, Field(ge=0)]
    in_primary: Annotated[
        bool,
        Field(
            description="False for a split that was not named so, and for one with fewer than 30 images: it stands in a column of its own."
        ),
    ]


class CombinedSetting(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    kind: Literal["cliprpn", "baseline", "results"]
    is_upper_bound: bool
    population: Annotated[
        Literal["procedure", "checkpoints"],
        Field(
            description="What an interval is about: `procedure` is training again with other seeds, on new images; `checkpoints` is these trained models (or a model that trains nothing) on new images.",
            title="Population",
        ),
    ]
    num_runs: Annotated[int, Field(description="Seeds or files.", ge=0)]
    primary: Annotated[
        Interval | None, Field(description="Null without answers on all of it.")
    ]
    per_endpoint: Annotated[
        list[Interval | None],
        Field(description="In the order of `endpoints`; null without answers."),
    ]


class EndpointComparison(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    difference: Interval
    p_value: Annotated[float | None, Field(ge=0.0, le=1.0)]
    p_adjusted: Annotated[
        float | None,
        Field(description="By Holm over the endpoints of this pair.", ge=0.0, le=1.0),
    ]


class CombinedComparison(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    against: str
    difference: Interval
    population: Annotated[
        Literal["procedure", "checkpoints"],
        Field(
            description="What an interval is about: `procedure` is training again with other seeds, on new images; `checkpoints` is these trained models (or a model that trains nothing) on new images.",
            title="Population",
        ),
    ]
    p_value: Annotated[float | None, Field(ge=0.0, le=1.0)]
    p_adjusted: Annotated[
        float | None, Field(description="By Holm over all pairs.", ge=0.0, le=1.0)
    ]
    same_answers: bool
    detectable: float | None
    equivalent: bool | None
    per_endpoint: Annotated[
        list[EndpointComparison | None],
        Field(description="In the order of `endpoints`."),
    ]
    ahead_on: Annotated[
        list[str],
        Field(
            description="Endpoints where `label` is ahead: all that were compared, if each p-value is below alpha; otherwise those whose adjusted p-value is."
        ),
    ]
    behind_on: Annotated[
        list[str],
        Field(description="Endpoints where `label` is behind, by adjusted p-values."),
    ]
    ahead_on_all: bool


class Comparison(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    against: str
    difference: Annotated[
        Interval,
        Field(description="acc_at_50 of `label` minus `against`, paired by image."),
    ]
    population: Annotated[
        Literal["procedure", "checkpoints"],
        Field(
            description="What an interval is about: `procedure` is training again with other seeds, on new images; `checkpoints` is these trained models (or a model that trains nothing) on new images.",
            title="Population",
        ),
    ]
    p_value: Annotated[
        float | None,
        Field(
            description="Two-sided, unadjusted; null with fewer than 30 images.",
            ge=0.0,
            le=1.0,
        ),
    ]
    p_adjusted: Annotated[
        float | None,
        Field(
            description="By Holm: over all pairs of configurations on val, over the comparisons of the best on other splits; null with fewer than 30 images.",
            ge=0.0,
            le=1.0,
        ),
    ]
    same_answers: Annotated[
        bool, Field(description="True if both hit the same expressions.")
    ]
    detectable: Annotated[
        float | None,
        Field(
            description="The smallest true difference that is found with a power of 80 %; null with fewer than 30 images, and if it is 1 or more."
        ),
    ]
    equivalent: Annotated[
        bool | None,
        Field(
            description="True if the interval of confidence 1 - 2 alpha, 90 % by default, lies within the smallest difference that matters; null if that is not declared."
        ),
    ]
    chance_new_run_ahead: Annotated[
        float | None,
        Field(
            description="Probability that a new run of `label` beats a new run of `against`.",
            ge=0.0,
            le=1.0,
        ),
    ]
    num_seeds_needed: Annotated[
        int | None,
        Field(
            description="Seeds of each that would detect, with these images, the smallest difference that matters; the observed difference if none is declared. Null if no number suffices, and for checkpoints.",
            ge=0,
        ),
    ]
    num_images_needed: Annotated[
        int | None,
        Field(
            description="Images that would detect the same with these seeds; null if no number suffices.",
            ge=0,
        ),
    ]
    checks: Annotated[
        CrossChecks | None,
        Field(
            description="Cross-checks that decide nothing; null but for the ten nearest rivals."
        ),
    ]


class CompletedOutcome(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Annotated[Literal[1], Field(description="Version of the format.")]
    state: Literal["completed"]
    trial_id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    sources_sha256: Annotated[
        str,
        Field(
            description="Hash of the code that ran the trial, for its kind.",
            pattern="^[0-9a-f]{64}$",
        ),
    ]
    finished_at: Annotated[str, Field(description="UTC, ISO 8601.")]
    best_epoch: Annotated[
        int,
        Field(
            description="Counted from 1; selected on val. 0 when nothing is trained.",
            ge=0,
        ),
    ]
    epochs: list[Epoch]
    metrics: Annotated[Metrics, Field(description="Metrics of the best epoch on val.")]
    num_trainable_parameters: Annotated[int, Field(ge=0)]
    durations_ms: Durations
    peak_memory_bytes: PeakMemory
    environment: Environment
    precision: Annotated[
        Literal["fp32", "bf16"] | None,
        Field(
            description="What training computed with. Null for baselines; missing in outcomes of earlier versions."
        ),
    ] = None
    notes: Annotated[
        list[str],
        Field(description="Caveats for interpreting the metrics, one sentence each."),
    ]
    resumed_from: Annotated[
        ResumedFrom | None,
        Field(
            description="The checkpoint that this attempt continued. Null or missing if it began at the start."
        ),
    ] = None
    micro_batch_size: Annotated[
        int | None,
        Field(
            description="The device ran out of memory in training, so batches were cut into micro-batches of at most this many referring expressions, whose gradients were added up. Null or missing if whole batches fit.",
            ge=1,
        ),
    ] = None
    evaluation_batch_size: Annotated[
        int | None,
        Field(
            description="The device ran out of memory in evaluation, so its batches had at most this many referring expressions. Null or missing if batches of the usual size fit.",
            ge=1,
        ),
    ] = None


class Coordinates(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    box_format: Annotated[
        Literal[
            "xyxy",
            "xyxy_norm",
            "xyxy_1000",
            "xywh",
            "xywh_norm",
            "xywh_1000",
            "cxcywh",
            "cxcywh_norm",
            "cxcywh_1000",
        ],
        Field(
            description="Pixels of the frame, normalized coordinates (`_norm`), or 0 to 1000 in both directions (`_1000`).",
            title="AnswerBoxFormat",
        ),
    ]
    frame: Annotated[
        OriginalFrame
        | FixedFrame
        | LongSideFrame
        | ShortSideFrame
        | SmartResizeFrame
        | ColumnsFrame
        | PaddedFrame,
        Field(
            description="The image that coordinates refer to, in pixels unless it is the original or padded: the original; one of a fixed size; one whose longer or shorter side has a fixed length; one as Qwen-VL resizes it (sides are multiples of `factor`, the area is from min_pixels to max_pixels); one whose size stands in each row; or a square into which the image is padded.",
            discriminator="kind",
            title="BoxFrame",
        ),
    ]


class EndedAttempt(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Literal[1]
    how: Annotated[
        Literal["outcome", "canceled", "preempted", "error", "lost"],
        Field(
            description="outcome: outcome.json lies in the attempt's folder. lost: the pilot was killed, which a process that outlives it says, or the controller took the attempt away from a pilot without a heartbeat."
        ),
    ]
    pilot: Annotated[
        str | None, Field(description="The name of the pilot; null if none had it.")
    ]
    reason: Annotated[
        str, Field(description="For people; empty if there is nothing to say.")
    ]
    error: Annotated[ErrorInfo | None, Field(description="Set if how is error.")]


class ErrorClass(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    error_class: Annotated[
        Literal[
            "hit",
            "wrong_category",
            "wrong_instance",
            "loose_box",
            "background",
            "no_answer",
            "unknown",
        ],
        Field(
            description="Exclusive classes of an answer, defined in figures/error_classes.py: `hit` is an IoU of at least 0.5; `no_answer` an empty box, or a detector that found nothing; the others are about the annotated object of the image that the answer overlaps most. `unknown`: the dataset does not tell.",
            title="ErrorClassName",
        ),
    ]
    num_sentences: Annotated[float, Field(description="Mean over seeds.", ge=0.0)]
    fraction: Interval
    sent_ids: Annotated[
        list[int],
        Field(
            description="Examples in the first seed, each in another image: those of most seeds first, then those with the highest score. Empty for hits."
        ),
    ]


class ErrorEnvelope(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    status: Literal["error"]
    error: ErrorInfo
    traceback: Annotated[
        str | None, Field(description="Written to the log, never to the terminal.")
    ]


class EvaluateResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    metrics: Metrics
    predictions_file: str


class ExplorerExpressions(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    sent_id: list[int]
    image: Annotated[list[int], Field(description="Position of the image in `images`.")]
    sentence: list[str]
    category: Annotated[list[str], Field(description="Empty if unknown.")]
    gt_box_xyxy: Annotated[
        list[float],
        Field(
            description="Four numbers per expression: pixels of the original image, to a tenth.",
            title="ExplorerBoxes",
        ),
    ]


class ExplorerSetting(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    seed: Annotated[
        int | None, Field(description="Null if training again gives the same result.")
    ]
    pred_box_xyxy: Annotated[
        list[float],
        Field(
            description="Four numbers per expression: pixels of the original image, to a tenth.",
            title="ExplorerBoxes",
        ),
    ]
    iou: list[float]
    score: Annotated[list[float | None], Field(description="Null if it is not finite.")]
    error_class: Annotated[list[int], Field(description="Position in `error_classes`.")]


class Explorer(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Literal[1]
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    num_settings: Annotated[
        int,
        Field(
            description="Number of all configurations, also of those that are left out.",
            ge=1,
        ),
    ]
    images_dir: Annotated[
        str | None,
        Field(
            description="Absolute path of the folder with the images; null if the dataset has none."
        ),
    ]
    images: Annotated[
        ExplorerImages,
        Field(description="Columns with a value per image.", title="ExplorerImages"),
    ]
    expressions: Annotated[ExplorerExpressions, Field(title="ExplorerExpressions")]
    subsets: list[ExplorerSubset]
    error_classes: Annotated[
        list[str],
        Field(
            description="Names of the codes in the settings' `error_class`; the first one is a hit."
        ),
    ]
    settings: Annotated[
        list[ExplorerSetting], Field(description="In the order of the summary.")
    ]


class ExportChangesParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    dataset: TrialDataset
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    seed: Annotated[int, Field(ge=0)]
    sent_ids: Annotated[
        list[int],
        Field(
            description="Expressions whose words are all dropped, beside those chosen by a fixed rule."
        ),
    ]
    prompt: Annotated[
        str,
        Field(
            description="`{expression}` or `{}` stands for the expression, `{coordinates}` for how the box is to be written, `{width}` and `{height}` for the size of the image."
        ),
    ]
    coordinates: Annotated[
        str,
        Field(
            description="That the prompt asks for, such as `xyxy_1000` or `xyxy@long:1024`.",
            pattern="^(xyxy|xywh|cxcywh)((_norm|_1000)?|@.+)$",
        ),
    ]
    image_paths: Annotated[
        Literal["absolute", "relative"],
        Field(description="Relative: to the folder of the images."),
    ]
    out_file: str


class ExportQuestionsParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    root: Annotated[str, Field(description="Folder of a prepared dataset.")]
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"] | None,
        Field(description="Null: all."),
    ]
    only: Annotated[
        str | None,
        Field(
            description="Absolute path of a list of ids, as for `prepare --only`; null: all expressions."
        ),
    ]
    prompt: Annotated[
        str,
        Field(
            description="`{expression}` or `{}` stands for the expression, `{coordinates}` for how the box is to be written, `{width}` and `{height}` for the size of the image."
        ),
    ]
    coordinates: Annotated[
        str,
        Field(
            description="That the prompt asks for, such as `xyxy_1000` or `xyxy@long:1024`.",
            pattern="^(xyxy|xywh|cxcywh)((_norm|_1000)?|@.+)$",
        ),
    ]
    image_paths: Annotated[
        Literal["absolute", "relative"],
        Field(description="Relative: to the folder of the images."),
    ]
    out_file: str


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
            description="Absolute path of a state_dict; `coco` for the COCO weights that torchvision downloads."
        ),
    ]
    sha256: Annotated[
        str,
        Field(
            description="SHA-256 of the file; `coco` for the weights of torchvision.",
            pattern="^([0-9a-f]{64}|coco)$",
        ),
    ]
    classes: Annotated[
        list[Class] | None,
        Field(
            description="Class names, in the order of the detector's outputs; null for COCO's 80 classes.",
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
        Literal["constant_box", "whole_image"],
        Field(description="`constant_box` is fitted on train."),
    ]
    acc_at_50: Interval
    miou: Interval


class GallerySubset(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    by: Annotated[
        Literal[
            "stratum",
            "area_tercile",
            "area_tercile_refcocog",
            "sentence_length",
            "num_same_category",
            "reviewed",
        ],
        Field(
            description="`area_tercile` are terciles of this split, `area_tercile_refcocog` those of RefCOCOg (9 % and 20 % of the image). `reviewed`: the expressions of a list.",
            title="SubsetKind",
        ),
    ]
    group: str


class GalleryGroup(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Annotated[
        Literal[
            "pair_wins",
            "pair_losses",
            "pair_failures",
            "wins",
            "losses",
            "joint_failures",
            "random_failures",
        ],
        Field(
            description="Minimal pairs and expressions that only `label` answers right (wins), only `against` (losses), or neither (failures); random failures are those of `label` in a subset.",
            title="GalleryKind",
        ),
    ]
    subset: GallerySubset | None
    num_found: Annotated[
        int,
        Field(
            description="Number of expressions or pairs of this kind in the first run.",
            ge=0,
        ),
    ]
    num_total: Annotated[
        int,
        Field(
            description="Number of expressions or pairs of the split, or of the subset.",
            ge=0,
        ),
    ]
    examples: list[GalleryExample]


class ImageNames(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    by_split: Annotated[
        list[Literal["train", "val", "test", "testA", "testB"]],
        Field(
            description="Splits with image folders of their own: an image of a row of one of these has the name `SPLIT<tab>NAME`, so that equal names in different folders are different images."
        ),
    ]
    names: Annotated[
        dict[str, str],
        Field(
            description="The path below the image folder of each name that differs from it."
        ),
    ]
    written: Annotated[
        list[WantedImage],
        Field(description="The images with their names as the annotations give them."),
    ]


class IntervalsSoFarParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    configurations: list[CompletedConfiguration]
    confidence: Annotated[float, Field(gt=0.0, lt=1.0)]


class ExcludedFolder(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    dataset: DatasetFolder
    splits: list[Literal["train", "val", "test", "testA", "testB"]]


class JoinDatasetsParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    parts: Annotated[
        list[DatasetFolder],
        Field(description="The datasets whose train splits are joined.", min_length=1),
    ]
    val: Annotated[
        DatasetFolder,
        Field(description="The dataset whose val split chooses the model."),
    ]
    excluded: Annotated[
        list[ExcludedFolder],
        Field(description="Splits whose images are left out of train."),
    ]
    images_dir: Annotated[
        str,
        Field(
            description="A folder that contains the image folders of all datasets; names of images are relative to it."
        ),
    ]
    out_dir: Annotated[
        str | None,
        Field(
            description="Receives annotations/instances.json and annotations/refs(own).p; null to count only."
        ),
    ]
    cache_dir: Annotated[str, Field(description="Keeps the hashes of images.")]


class ExcludedDataset(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    id: str
    name: str
    splits: list[Literal["train", "val", "test", "testA", "testB"]]
    pictures_sha256: Annotated[
        str,
        Field(
            description="Of its images then; with others, the training set is made again."
        ),
    ]


class JointFacts(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    parts: Annotated[
        list[DatasetRef],
        Field(description="The datasets whose train splits were joined."),
    ]
    val: DatasetRef
    excluded: Annotated[
        list[ExcludedDataset],
        Field(description="The splits whose images were left out of train."),
    ]
    num_images: Annotated[int, Field(description="Images to train on.", ge=0)]
    num_sentences: Annotated[int, Field(ge=0)]
    num_images_left_out: Annotated[
        int,
        Field(
            description="Images of the train splits that an evaluation split has, too.",
            ge=0,
        ),
    ]
    num_sentences_left_out: Annotated[int, Field(ge=0)]
    num_val_images_tested: Annotated[
        int,
        Field(
            description="Images of val, which chooses the model, that one of the test splits has, too.",
            ge=0,
        ),
    ]


class MatchedSplit(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    published: Annotated[str, Field(description="Such as `refcocog-umd`.")]
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    num_published: Annotated[
        int, Field(description="Expressions of the published split.", ge=1)
    ]
    num_matched: Annotated[
        int,
        Field(
            description="Those of them that a row has; repeated rows count once.", ge=0
        ),
    ]


class MeasuredTarget(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    dataset: TrialDataset
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]


class NodeCheck(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Literal[1]
    label: Annotated[str, Field(description="As given with --label.")]
    time_s: Annotated[
        float, Field(description="The node's time, in seconds since 1970.")
    ]
    server_time_s: Annotated[
        float,
        Field(description="The time that a file got which the node has just written."),
    ]
    problems: Annotated[
        list[Literal["exclusive_create", "link", "rename", "flock"]],
        Field(
            description="Operations of the shared folder that do not work on the node."
        ),
    ]
    roots: Annotated[
        list[FoundRoot],
        Field(
            description="What the node finds where `roots` say that folders of the other machine are."
        ),
    ]
    node_cache: Annotated[
        CheckedNodeCache | None,
        Field(
            description="The folder for copies of features on the node's own disk; null if there is none."
        ),
    ]
    worker: Annotated[
        WorkerReady | None,
        Field(
            description="What a worker on the node would say; null if none can start."
        ),
    ]
    error: Annotated[ErrorInfo | None, Field(description="Why no worker can start.")]


class PilotFacts(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Literal[1]
    name: Annotated[str, Field(description="Host, process id and a random suffix.")]
    label: Annotated[
        str,
        Field(
            description="As given with --label, such as the job of a cluster; empty by default."
        ),
    ]
    state: Annotated[
        Literal["starting", "ready", "refused"],
        Field(
            description="starting: it imports torch. refused: it cannot run trials of this sweep."
        ),
    ]
    error: Annotated[ErrorInfo | None, Field(description="Why it refused.")]
    process: ProcessIdentity
    environment: Annotated[
        Environment | None, Field(description="Null before it is ready.")
    ]


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
        str, Field(description="SHA-256 of the whole file.", pattern="^[0-9a-f]{64}$")
    ]
    pictures: list[PreparedImage]


class PixelsManifest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    preprocessing_version: Annotated[
        str,
        Field(
            description="Changes whenever the same file would be decoded to different pixels.",
            min_length=1,
        ),
    ]
    image_size_px: Annotated[int, Field(ge=1)]
    resize: Annotated[
        Literal["squash", "letterbox"],
        Field(
            description="How an image is resized to a square: `squash` (as in ClipRPN (Trento)), or `letterbox`, which keeps the aspect ratio.",
            title="Resize",
        ),
    ]
    pixels_id: Annotated[
        str, Field(description="Hash of the checksums of all shards.", min_length=1)
    ]
    shards: list[PixelShard]


class PreflightFinding(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    status: Annotated[
        Literal["passed", "failed", "not_checked"], Field(title="PreflightStatus")
    ]
    found: Annotated[str, Field(description="One line, without the status.")]
    fix: Annotated[
        str | None,
        Field(description="What to do about a failure; null if it did not fail."),
    ]
    figures: list[PreflightFigure]


class PreparationOutcome(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Literal[1]
    finished_at: Annotated[str, Field(description="UTC, ISO 8601.")]
    parts: Annotated[list[PreparedPart], Field(description="In the order of the spec.")]


class ImageFolder(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    folder: Annotated[str, Field(description="Absolute path.")]
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"] | None,
        Field(description="The split whose images it has; null for any."),
    ]


class ReadAnnotationsResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_pictures: Annotated[int, Field(ge=0)]
    splits: list[SplitCounts]


class ReportMeasurement(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    first: Annotated[Timing, Field(description="With one configuration.")]
    another: Annotated[
        Timing, Field(description="What each further configuration adds.")
    ]
    splits: Annotated[
        Timing | None,
        Field(
            description="Comparing two configurations over all splits; null without other splits."
        ),
    ]


class RowsFile(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    file: Annotated[str, Field(min_length=1)]
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"] | None,
        Field(
            description="The split of all rows of the file; null when each row has a split, or none has."
        ),
    ]


class RunPreparationResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    outcome: PreparationOutcome


class SentenceExample(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    sentence: str
    category: Annotated[str, Field(description="Empty when unknown.")]
    file_name: str
    upright: bool
    width: Annotated[int | None, Field(ge=1)]
    height: Annotated[int | None, Field(ge=1)]
    box_xyxy: Annotated[
        list[float],
        Field(
            description="Left, top, right, bottom, in pixels of the original image.",
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
            description="Side of the square that an image is resized to before CLIP, in pixels; a multiple of 32.",
            ge=64,
            le=1024,
            multiple_of=32,
        ),
    ]
    resize: Annotated[
        Literal["squash", "letterbox"],
        Field(
            description="How an image is resized to a square: `squash` (as in ClipRPN (Trento)), or `letterbox`, which keeps the aspect ratio.",
            title="Resize",
        ),
    ]
    frame_size_px: Annotated[
        int,
        Field(
            description="Side of the square coordinate frame of anchors and boxes during training, in pixels.",
            ge=64,
            le=4096,
        ),
    ]
    neck_channels: Annotated[
        int | None,
        Field(
            description="Channels of the 1x1 projection before the fusion; null for no projection (as in ClipRPN (Trento)).",
            ge=8,
            le=4096,
        ),
    ]
    fusion: Annotated[
        ConcatenationFusion | CrossAttentionFusion | SwitchedFusion | FileFusion,
        Field(
            description="How the features of the referring expression and the image are fused.",
            discriminator="kind",
            title="Fusion",
        ),
    ]
    anchors: Anchors
    rpn: Rpn
    training: Training
    limits: Limits


class SharedImages(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    first: Annotated[int, Field(description="Position of a dataset in `roots`.", ge=0)]
    second: Annotated[int, Field(ge=0)]
    first_split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    second_split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    num_first: Annotated[int, Field(description="Images of the first split.", ge=0)]
    num_second: Annotated[int, Field(ge=0)]
    num_same_file: Annotated[
        int,
        Field(
            description="Images of the second split whose file has the same bytes as one of the first.",
            ge=0,
        ),
    ]
    num_same_pixels: Annotated[
        int,
        Field(
            description="Other images of the second split with the same pixels as one of the first.",
            ge=0,
        ),
    ]
    examples: Annotated[
        list[SharedExample], Field(description="The file names of some of them.")
    ]


class SharedWork(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    key: Annotated[str, Field(description="Baselines with the same key share it.")]
    image: Annotated[Timing, Field(description="The work for one image.")]
    image_bytes: Annotated[
        float, Field(description="Size of its result on disk.", ge=0.0)
    ]
    may_be_cached: Annotated[
        bool,
        Field(
            description="True if the cache has such results, perhaps for other images."
        ),
    ]


class SpeedMeasurement(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_steps: Annotated[int, Field(description="Steps that were timed.", ge=1)]
    batch_size: Annotated[int, Field(description="Expressions of a step.", ge=1)]
    step: Timing
    selection: Annotated[
        Timing,
        Field(
            description="Predicting one val expression after an epoch, to select the epoch."
        ),
    ]
    prediction: Annotated[
        Timing,
        Field(
            description="Predicting one expression with all its proposals, and writing it, in the evaluation."
        ),
    ]
    image: Annotated[
        Timing, Field(description="Extracting the feature map of one image.")
    ]
    view: Annotated[
        Timing | None,
        Field(
            description="Extracting that of one image in an augmented view; null without views."
        ),
    ]
    sentence: Annotated[Timing, Field(description="Encoding one expression.")]
    save: Annotated[Timing, Field(description="Saving one model.")]
    num_sampled_images: Annotated[
        int, Field(description="Images that `image` is measured on.", ge=1)
    ]
    map_bytes: Annotated[
        int, Field(description="One image's feature map, on disk and in memory.", ge=1)
    ]
    sentence_bytes: Annotated[
        float,
        Field(
            description="The features of one expression, on average in the sample.",
            ge=0.0,
        ),
    ]
    prediction_bytes: Annotated[
        float,
        Field(
            description="The stored prediction for one expression, on average in the sample.",
            ge=0.0,
        ),
    ]
    checkpoint_bytes: Annotated[
        int, Field(description="Size of one saved model.", ge=0)
    ]
    num_train: Annotated[
        int, Field(description="Expressions of an epoch, after limits.", ge=0)
    ]
    num_val: Annotated[
        int, Field(description="Expressions of val, after limits.", ge=0)
    ]
    num_evaluated: Annotated[
        int,
        Field(
            description="Expressions of all splits that trials are evaluated on besides val, after limits.",
            ge=0,
        ),
    ]
    num_views: Annotated[
        int, Field(description="Augmented views of the training images.", ge=0)
    ]
    features: Annotated[
        list[FeatureNeed],
        Field(
            description="Of the trial's dataset first, then of others that it is evaluated on.",
            min_length=1,
        ),
    ]
    resident_bytes: Annotated[
        float,
        Field(
            description="Features of the whole dataset that are kept in the memory of the device while training; 0 on a CPU.",
            ge=0.0,
        ),
    ]
    peak_memory_bytes: PeakMemory


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
        list[int],
        Field(description="Number of referring expressions in each of `word_bins`."),
    ]
    num_left_right: Annotated[
        int,
        Field(
            description="Number of referring expressions with the word left or right.",
            ge=0,
        ),
    ]
    num_non_ascii: Annotated[int, Field(ge=0)]
    num_repeated: Annotated[
        int,
        Field(
            description="Rows with the same object and referring expression as an earlier row.",
            ge=0,
        ),
    ]
    areas: Annotated[
        AreaStats | None,
        Field(
            description="Areas of the boxes as fractions of their images; null where the image size is unknown."
        ),
    ]
    same_category: SameCategory
    num_categories: Annotated[int, Field(ge=0)]
    top_categories: Annotated[
        list[CategoryCount], Field(description="The most frequent first.")
    ]
    objects_per_image: Annotated[Quantiles, Field(description="Over images.")]
    aspects: Annotated[
        Quantiles | None,
        Field(description="Aspect ratio (width / height), over images."),
    ]
    floors: Annotated[
        list[DatasetFloor],
        Field(
            description="Baselines that ignore the expression; empty where the image size is unknown."
        ),
    ]


class StratumSummary(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    stratum: str
    num_sentences: Annotated[int, Field(ge=0)]
    num_pairs: Annotated[
        int, Field(description="Number of minimal pairs in the subset.", ge=0)
    ]
    figures: list[Figure]


class SubsetComparison(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    against: str
    by: Annotated[
        Literal[
            "stratum",
            "area_tercile",
            "area_tercile_refcocog",
            "sentence_length",
            "num_same_category",
            "reviewed",
        ],
        Field(
            description="`area_tercile` are terciles of this split, `area_tercile_refcocog` those of RefCOCOg (9 % and 20 % of the image). `reviewed`: the expressions of a list.",
            title="SubsetKind",
        ),
    ]
    group: str
    difference: Interval
    population: Annotated[
        Literal["procedure", "checkpoints"],
        Field(
            description="What an interval is about: `procedure` is training again with other seeds, on new images; `checkpoints` is these trained models (or a model that trains nothing) on new images.",
            title="Population",
        ),
    ]
    p_value: Annotated[float, Field(ge=0.0, le=1.0)]
    p_adjusted: Annotated[
        float | None,
        Field(
            description="By Holm over the subsets and rivals of `label`; null for terciles of this split, which overlap the fixed ones and are not tested.",
            ge=0.0,
            le=1.0,
        ),
    ]


class SummarizeParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    dataset: TrialDataset
    groups: Annotated[list[TrialGroup], Field(min_length=1)]
    baseline: Annotated[
        str | None,
        Field(description="Label of the configuration that others are compared with."),
    ]
    smallest_difference: Annotated[
        float | None, Field(description="As a fraction.", gt=0.0, le=1.0)
    ]
    alpha: Annotated[float, Field(gt=0.0, lt=0.5)]
    out_dir: Annotated[
        str,
        Field(
            description="Absolute path of an existing folder for the files of the report that Python writes."
        ),
    ]
    cache_dir: Annotated[
        str,
        Field(description="Absolute path; figures of a configuration are kept there."),
    ]
    only: Annotated[
        OnlyList | None,
        Field(
            description="A list of reviewed expressions: figures are also computed on them."
        ),
    ] = None


class TrainDetectorParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    detector: TrainedYoloDetector
    dataset: TrialDataset
    cache_dir: str


class Verdict(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    case: Annotated[
        Literal[
            "one_setting",
            "few_images",
            "no_hit",
            "checkpoints",
            "same_answers",
            "outperforms",
            "behind",
            "equivalent",
            "mixed",
            "no_difference",
        ],
        Field(
            description="The first that matches, in this order.", title="VerdictCase"
        ),
    ]
    best: Annotated[str, Field(description="The best configuration on val.")]
    rival: Annotated[
        str | None,
        Field(description="The nearest one, or the one that the sentence is about."),
    ]
    beaten: Annotated[list[str], Field(description="Rivals that the best outperforms.")]
    open: Annotated[
        list[str], Field(description="Rivals without a significant difference.")
    ]
    ahead: Annotated[
        list[str],
        Field(
            description="Rivals that are significantly better than the best on val (Holm)."
        ),
    ]
    possibly_too_small: Annotated[
        bool,
        Field(
            description="True if the best outperforms the rival, but possibly by less than the smallest difference that matters."
        ),
    ]
    remarks: list[
        Annotated[
            SeedsRemark | BehindRemark | BelowChanceRemark | BlankRemark | RisingRemark,
            Field(discriminator="kind"),
        ]
    ]


class WorkerEnded(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["ended"]
    outcome: Annotated[
        CompletedOutcome | FailedOutcome | None,
        Field(
            description="As it lies in the attempt's folder; null if there is none, and for a preparation."
        ),
    ]
    error: Annotated[
        ErrorInfo | None,
        Field(
            description="Why there is no outcome; `interrupted` after a request to stop."
        ),
    ]


class WorkerEvent(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["event"]
    event: Annotated[
        ProgressEvent | EpochEvent | RestartEvent | WarningEvent,
        Field(
            description="An event that Python sends during a call, for display only.",
            discriminator="type",
            title="TrialEvent",
        ),
    ]


class WorkerMessage(RootModel[WorkerReady | WorkerEvent | WorkerEnded]):
    root: Annotated[
        WorkerReady | WorkerEvent | WorkerEnded,
        Field(
            description="A line that `python -m cliprpn.worker` writes to its standard output.",
            discriminator="type",
            title="WorkerMessage",
        ),
    ]


class AnswerReading(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    format: Annotated[
        Literal[
            "table",
            "coco",
            "mdetr",
            "transvg",
            "lmms_eval",
            "vlmevalkit",
            "internvl",
            "qwen",
            "vlm_r1",
        ]
        | None,
        Field(description="Null: from the content of the file."),
    ]
    columns: Annotated[
        dict[str, str] | None,
        Field(
            description='Names of columns by field, such as {"score": "prob"}; dotted for nested objects. Null: the usual names.'
        ),
    ]
    coordinates: Annotated[
        Coordinates | None,
        Field(description="Null: as the format has them, which must be certain."),
    ]
    force_coordinates: Annotated[
        bool,
        Field(
            description="True if they are read so even if the boxes fit another reading better."
        ),
    ]


class AnswersReport(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    file: str
    sha256: str
    format: Annotated[
        Literal[
            "table",
            "coco",
            "mdetr",
            "transvg",
            "lmms_eval",
            "vlmevalkit",
            "internvl",
            "qwen",
            "vlm_r1",
        ],
        Field(
            description="Rows with named columns (CSV, TSV, JSON Lines, JSON, Parquet); COCO results; the outputs of MDETR and of TransVG; sample logs of lmms-eval; tables of VLMEvalKit; result JSON of InternVL, Qwen-VL and VLM-R1.",
            title="AnswerFormat",
        ),
    ]
    coordinates: Coordinates
    num_rows: Annotated[int, Field(description="Rows of the file.", ge=0)]
    num_expressions: Annotated[
        int, Field(description="Expressions of the split.", ge=0)
    ]
    num_answered: Annotated[int, Field(description="Expressions with a box.", ge=0)]
    num_missing: Annotated[
        int, Field(description="Expressions without a row: misses.", ge=0)
    ]
    num_unparsed: Annotated[
        int,
        Field(
            description="Expressions with a row in whose text no box was found, or whose box is not finite: misses.",
            ge=0,
        ),
    ]
    num_duplicates: Annotated[
        int,
        Field(
            description="Rows of an expression that had one before; the first counts.",
            ge=0,
        ),
    ]
    num_strangers: Annotated[
        int, Field(description="Rows that match no expression of the split.", ge=0)
    ]
    num_by_sent_id: Annotated[
        int, Field(description="Expressions matched by sent_id.", ge=0)
    ]
    num_by_text: Annotated[
        int, Field(description="Expressions matched by image and expression.", ge=0)
    ]
    num_by_normalized_text: Annotated[
        int,
        Field(
            description="Expressions matched by image and normalized expression.", ge=0
        ),
    ]
    num_by_image: Annotated[
        int | None,
        Field(
            description="Expressions matched by image alone, where each image has one; absent in reports of earlier versions.",
            ge=0,
        ),
    ] = None
    num_by_position: Annotated[
        int | None,
        Field(
            description="Expressions matched by the order of the rows, which their ground truth confirms; absent in reports of earlier versions.",
            ge=0,
        ),
    ] = None
    num_ground_truth: Annotated[
        int,
        Field(description="Matched rows with a ground-truth box of their own.", ge=0),
    ]
    num_other_ground_truth: Annotated[
        int,
        Field(
            description="Those whose ground-truth box has an IoU below 0.9 with that of the dataset.",
            ge=0,
        ),
    ]
    has_scores: bool
    notes: list[str]
    warnings: list[str]
    examples: Annotated[
        list[AnswerExample], Field(description="The first of each kind of problem.")
    ]


class AuditAnswersParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    dataset: TrialDataset
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    alpha: Annotated[float, Field(gt=0.0, lt=0.5)]
    seed: Annotated[int, Field(ge=0)]
    sent_ids: Annotated[
        list[int],
        Field(
            description="Expressions to show word by word; empty: chosen by a fixed rule."
        ),
    ]
    files: Annotated[list[str], Field(min_length=1)]
    reading: AnswerReading


class AuditAnswersResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    summary: AuditSummary
    reports: Annotated[
        list[AnswersReport],
        Field(description="Of each file; its expressions are the questions."),
    ]


class BaselineMeasurement(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_images: Annotated[int, Field(description="Images of the sample.", ge=1)]
    shared: list[SharedWork]
    sentence: Annotated[
        Timing,
        Field(
            description="Encoding one expression, ranking boxes for it, and writing the answer."
        ),
    ]
    prediction_bytes: Annotated[
        float,
        Field(
            description="The stored answer to one expression, on average in the sample.",
            ge=0.0,
        ),
    ]
    val: BaselineSplit
    others: Annotated[
        list[BaselineSplit], Field(description="Other splits that it is evaluated on.")
    ]


class IntervalsSoFarMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: IntervalsSoFarParams
    result: IntervalsSoFar


class ExportQuestionsMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: ExportQuestionsParams
    result: ExportDatasetResult


class JoinDatasetsMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: JoinDatasetsParams
    result: JoinDatasetsResult


class TrainDetectorMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: TrainDetectorParams
    result: TrainDetectorResult


class CheckExtraMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: CheckExtraParams
    result: CheckExtraResult


class ExportChangesMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: ExportChangesParams
    result: ExportChangesResult


class AuditAnswersMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: AuditAnswersParams
    result: AuditAnswersResult


class ClipRpnSpec(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["cliprpn"]
    trial_id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    sources_sha256: Annotated[
        str,
        Field(
            description="Hash of the code that decides the results of this kind of trial (a CodeManifest); an outcome with a different hash is stale.",
            pattern="^[0-9a-f]{64}$",
        ),
    ]
    label: Annotated[
        str,
        Field(
            description="Human-readable name of the trial's configuration, such as `fusion=film`."
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
            description="Absolute path of the folder for frozen features and prepared datasets.",
            min_length=1,
        ),
    ]


class Combined(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Annotated[Literal[1], Field(description="Version of the format.")]
    confidence: Annotated[float, Field(gt=0.0, lt=1.0)]
    smallest_difference: float | None
    baseline: str | None
    num_images: Annotated[
        int, Field(description="Different images of the primary endpoint.", ge=0)
    ]
    endpoints: list[Endpoint]
    settings: Annotated[
        list[CombinedSetting],
        Field(
            description="Those with answers on all of the primary endpoint first, the best first."
        ),
    ]
    comparisons: Annotated[
        list[CombinedComparison],
        Field(
            description="The best with each other one, and the declared baseline with each other one, on the primary endpoint."
        ),
    ]
    optimism: Annotated[
        float | None,
        Field(
            description="How much the figure of the best flatters itself, since it was chosen by it; null with one model, or if it was chosen on val and the primary endpoint is not val."
        ),
    ]
    selection: Annotated[
        Literal["val", "primary"],
        Field(
            description="What the best was chosen by: acc_at_50 on val, or the primary endpoint."
        ),
    ]
    verdict: Verdict
    notes: Annotated[
        list[str] | None,
        Field(
            description="What is not known of the images, one line each; absent in combined figures of earlier versions, and if there is nothing."
        ),
    ] = None


class CompareDatasetsResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    num_images: Annotated[list[int], Field(description="Of each dataset.")]
    num_missing_files: Annotated[
        list[int],
        Field(
            description="Images of each dataset whose files cannot be read: they are compared by their prepared pixels only."
        ),
    ]
    num_without_pixels: Annotated[
        list[int],
        Field(description="Images of each dataset without pixels to compare."),
    ]
    pixels: Annotated[
        str,
        Field(
            description="The compared pixels: the folder of a prepared size, such as `squash-224`, or `files` for the decoded files."
        ),
    ]
    pairs: list[SharedImages]


class Envelope(RootModel[OkEnvelope | ErrorEnvelope]):
    root: Annotated[
        OkEnvelope | ErrorEnvelope,
        Field(
            description="Every reply: a value or an error.",
            discriminator="status",
            title="Envelope",
        ),
    ]


class Gallery(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: Annotated[str, Field(description="The best configuration on val.")]
    seed: Annotated[
        int | None, Field(description="Of the shown run; null for a baseline.")
    ]
    against: Annotated[
        str | None,
        Field(
            description="The declared baseline, else the nearest rival; null if there is no other configuration."
        ),
    ]
    against_seed: int | None
    has_images: Annotated[
        bool,
        Field(
            description="False if the dataset has no images, and no example can be shown."
        ),
    ]
    groups: list[GalleryGroup]


class IndexDatasetResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    splits: list[SplitCounts]
    dropped: DatasetCounts
    split_rule: str
    notes: list[str]
    matched: Annotated[
        list[MatchedSplit] | None,
        Field(
            description="Null if the rows were not matched with a published dataset."
        ),
    ]
    warnings: Annotated[
        list[str], Field(description="What may make results wrong, one line each.")
    ]


class MeasureReportParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    dataset: TrialDataset
    limit: Annotated[int | None, Field(description="Of val; null for all.", ge=1)]
    num_seeds: Annotated[int, Field(description="Of each configuration.", ge=1)]
    scratch_dir: Annotated[
        str,
        Field(
            description="An existing folder for temporary files, which the caller removes."
        ),
    ]
    targets: list[MeasuredTarget]
    test_limit: Annotated[
        int | None,
        Field(description="Of the dataset's test splits; null for all.", ge=1),
    ]


class MeasureSpeedParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    spec: ClipRpnSpec
    num_steps: Annotated[
        int, Field(description="Steps to time, after a warm-up.", ge=1)
    ]
    limit_ms: Annotated[
        float, Field(description="Fewer steps are timed if they take longer.", gt=0.0)
    ]
    scratch_dir: Annotated[
        str,
        Field(
            description="An existing folder for temporary files, which the caller removes."
        ),
    ]
    targets: list[MeasuredTarget]


class ReadAnswersParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    file: Annotated[str, Field(description="Absolute path.")]
    reading: AnswerReading
    targets: Annotated[list[AnswerTarget], Field(min_length=1)]


class ReadAnswersResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    reports: Annotated[list[AnswersReport], Field(description="One for each target.")]


class RefcocoSource(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    layout: Literal["refcoco"]
    instances_file: Annotated[
        str,
        Field(
            description="The file with COCO's images, objects and categories.",
            min_length=1,
        ),
    ]
    refs_file: Annotated[
        str, Field(description="A file such as `refs(umd).p`.", min_length=1)
    ]
    only: Annotated[
        list[RowsFile] | None,
        Field(
            description="Files with the ids of the expressions to keep, each for all expressions or for those of a split; absent if all are kept.",
            min_length=1,
            title="Only",
        ),
    ] = None
    clip_boxes: Annotated[
        bool | None,
        Field(
            description="True if boxes that extend past their image are clipped to it; absent if they are problems.",
            title="ClipBoxes",
        ),
    ] = None
    force_box_format: Annotated[
        bool | None,
        Field(
            description="True if boxes are read in the given format even if nearly all fit another one better; absent if that is a problem.",
            title="ForceBoxFormat",
        ),
    ] = None
    allow_invalid: Annotated[
        bool | None,
        Field(
            description="True if invalid rows are left out; absent if they are problems.",
            title="AllowInvalid",
        ),
    ] = None
    orientation: Annotated[
        Literal["upright", "stored"] | None,
        Field(
            description="Frame of the boxes of images with an EXIF rotation: `upright` as viewers show them, or `stored` as the file stores the pixels. Absent: the size in the annotations tells; without one, upright.",
            title="Orientation",
        ),
    ] = None


class Reviewed(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    num_sentences: Annotated[int, Field(ge=0)]
    num_images: Annotated[int, Field(ge=0)]
    settings: Annotated[
        list[ReviewedFigure],
        Field(description="In the order of `settings`; ranks by acc_at_50."),
    ]
    comparisons: Annotated[
        list[SubsetComparison],
        Field(description="The pairs of `comparisons` on these expressions."),
    ]
    order_changes: Annotated[bool, Field(description="True if a rank differs.")]


class RowsSource(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    layout: Literal["rows"]
    format: Annotated[
        Literal[
            "jsonl",
            "csv",
            "json",
            "parquet",
            "coco",
            "mdetr",
            "transvg",
            "odvg",
            "visual_genome",
            "voc",
            "grefcoco",
            "flickr30k",
            "dcube",
        ],
        Field(
            description="JSON Lines; CSV; a JSON document with rows; Parquet; COCO JSON with referring expressions; MDETR's finetuning JSON; TransVG's index rows; Grounding DINO's ODVG; Visual Genome's region descriptions; a folder of Pascal VOC; gRefCOCO; Flickr30k Entities; the Description Detection Dataset (D-cube)."
        ),
    ]
    files: Annotated[
        list[RowsFile],
        Field(
            description="Files, or folders of the formats that are folders.",
            min_length=1,
        ),
    ]
    box_format: Annotated[
        Literal[
            "xywh",
            "xyxy",
            "cxcywh_norm",
            "xywh_norm",
            "xyxy_norm",
            "xywh_1000",
            "xyxy_1000",
        ],
        Field(
            description="Format of the boxes: in pixels of the original image, in normalized coordinates (`_norm`), or from 0 to 1000 in both directions (`_1000`).",
            title="BoxFormat",
        ),
    ]
    columns: Columns
    split_seed: Annotated[
        int,
        Field(
            description="Random seed of the split by image, used when the rows have no split.",
            ge=0,
        ),
    ]
    rows: Annotated[
        str | None,
        Field(
            description="Key of the list of rows in a JSON file, with dots for nested objects; absent when the file is a list, or has one list of objects.",
            min_length=1,
        ),
    ] = None
    first_box: Annotated[
        bool | None,
        Field(
            description="True if the first box of an expression with several boxes is taken; absent if such expressions are left out."
        ),
    ] = None
    instances: Annotated[
        str | None,
        Field(
            description="COCO's images and boxes, which gRefCOCO refers to by id; absent if they lie beside its file.",
            min_length=1,
        ),
    ] = None
    only: Annotated[
        list[RowsFile] | None,
        Field(
            description="Files with the ids of the expressions to keep, each for all expressions or for those of a split; absent if all are kept.",
            min_length=1,
            title="Only",
        ),
    ] = None
    match: Annotated[
        PublishedSource | None,
        Field(
            description="The published dataset whose splits the rows get; absent if the rows keep their own."
        ),
    ] = None
    clip_boxes: Annotated[
        bool | None,
        Field(
            description="True if boxes that extend past their image are clipped to it; absent if they are problems.",
            title="ClipBoxes",
        ),
    ] = None
    force_box_format: Annotated[
        bool | None,
        Field(
            description="True if boxes are read in the given format even if nearly all fit another one better; absent if that is a problem.",
            title="ForceBoxFormat",
        ),
    ] = None
    allow_invalid: Annotated[
        bool | None,
        Field(
            description="True if invalid rows are left out; absent if they are problems.",
            title="AllowInvalid",
        ),
    ] = None
    orientation: Annotated[
        Literal["upright", "stored"] | None,
        Field(
            description="Frame of the boxes of images with an EXIF rotation: `upright` as viewers show them, or `stored` as the file stores the pixels. Absent: the size in the annotations tells; without one, upright.",
            title="Orientation",
        ),
    ] = None


class RunTrialResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    outcome: Annotated[
        CompletedOutcome | FailedOutcome,
        Field(
            description="The outcome of one attempt at a trial: `outcome.json` in the attempt's folder, written last and once.",
            discriminator="state",
            title="TrialOutcome",
        ),
    ]
    memory: WorkerMemory | None = None


class SampleExpressionsResult(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    examples: Annotated[
        list[SentenceExample],
        Field(
            description="Each of a different image; fewer than asked for if the dataset has fewer."
        ),
    ]
    num_boxes: Annotated[
        int, Field(description="Of the expressions of all splits.", ge=0)
    ]
    outside: Annotated[
        list[str], Field(description="The first of them: image, box and sentence.")
    ]
    num_outside: Annotated[
        int,
        Field(
            description="Expressions whose boxes are not inside their image, or have no area.",
            ge=0,
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
            description="All metrics of each subset; empty when the dataset has no subsets."
        ),
    ]
    breakdowns: list[Breakdown]
    category_macro_acc_at_50: Annotated[
        float, Field(description="Mean over categories.")
    ]
    kind: Annotated[
        Literal["cliprpn", "baseline", "results"],
        Field(description="`results`: answers of an outside model."),
    ]
    proposals: Annotated[
        ProposalSummary | None,
        Field(
            description="Quality of a baseline's proposals; null for a ClipRPN, which proposes and ranks boxes in one step."
        ),
    ]
    seeds: Annotated[list[int], Field(description="Seeds of the completed trials.")]
    num_planned_seeds: Annotated[int, Field(ge=0)]
    is_upper_bound: Annotated[
        bool, Field(description="True for ground-truth boxes, which no model has.")
    ]
    population: Annotated[
        Literal["procedure", "checkpoints"],
        Field(
            description="What an interval is about: `procedure` is training again with other seeds, on new images; `checkpoints` is these trained models (or a model that trains nothing) on new images.",
            title="Population",
        ),
    ]
    seed_sd: Annotated[
        float | None,
        Field(
            description="Standard deviation (n - 1) of acc_at_50 between seeds; null with fewer than two, and for a baseline."
        ),
    ]
    rank: Annotated[
        RankInterval | None,
        Field(
            description="Interval of the rank among the configurations that are not upper bounds, 1 is the best; null for an upper bound, and with fewer than 30 images."
        ),
    ]
    blank: Annotated[
        BlankAnswers | None,
        Field(
            description="The configuration with an empty expression: its image-only answers, paired; null where they are unknown."
        ),
    ]
    accuracy_at_iou: Annotated[
        list[AccuracyAtIou],
        Field(
            description="Fraction of expressions with an IoU of at least t, t = 0.05, 0.10, ..., 0.95."
        ),
    ]
    still_rising: Annotated[
        bool | None,
        Field(
            description="True if the best epoch is the last one in most seeds, and its mean gain on val is above half the detectable difference; null if nothing is trained or epochs are unknown."
        ),
    ]
    error_classes: Annotated[
        list[ErrorClass], Field(description="Every class; the fractions add up to 1.")
    ]
    calibration: Annotated[
        Calibration | None,
        Field(description="Of the score; null if a score is not finite."),
    ]
    repeats: Annotated[
        Literal["training_seed", "decoding", "prompt"] | None,
        Field(
            description="What differs between the runs of an outside model; absent or null for others."
        ),
    ] = None
    conventions: Annotated[
        list[ConventionFigure] | None,
        Field(
            description="Acc@0.5 by the conventions of other programs, mean over runs; absent in files of earlier versions."
        ),
    ] = None


class Summary(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Annotated[Literal[2], Field(description="Version of the format.")]
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    num_sentences: Annotated[int, Field(ge=0)]
    num_images: Annotated[int, Field(ge=0)]
    image_origins: Annotated[
        list[ImageOriginCount] | None,
        Field(
            description="Evaluated images by the published collection that they come from, judging by their names; absent in files of earlier versions."
        ),
    ] = None
    confidence: Annotated[
        float,
        Field(
            description="Confidence level of every interval: 1 - alpha.", gt=0.0, lt=1.0
        ),
    ]
    smallest_difference: Annotated[
        float | None,
        Field(
            description="The smallest difference of acc_at_50 that matters, as a fraction; null if the experiment declares none."
        ),
    ]
    baseline: Annotated[
        str | None,
        Field(
            description="Label of the declared configuration that the others are compared with."
        ),
    ]
    num_resamples: Annotated[
        int,
        Field(
            description="Number of resamples of the images, for the intervals of ranks and the optimism.",
            ge=1,
        ),
    ]
    settings: Annotated[
        list[SettingSummary],
        Field(
            description="Sorted by acc_at_50 on val, the best first; upper bounds (ground-truth boxes) last."
        ),
    ]
    subsets: Annotated[
        list[SubsetSummary],
        Field(
            description="Subsets of the split with expressions, in the order of the report."
        ),
    ]
    chance_acc_at_50: Annotated[
        float | None,
        Field(
            description="Same-category chance: the mean of 1 / num_same_category where it is known; null where it is known for no expression.",
            ge=0.0,
            le=1.0,
        ),
    ]
    comparisons: Annotated[
        list[Comparison],
        Field(
            description="The best configuration on val with each other one, and the declared baseline with each other one; no upper bounds."
        ),
    ]
    subset_comparisons: Annotated[
        list[SubsetComparison],
        Field(
            description="The same pairs as `comparisons` on every subset of at least 30 images."
        ),
    ]
    optimism: Annotated[
        float | None,
        Field(
            description="How much the acc_at_50 of the best on val flatters itself, since it was chosen by it, as a fraction; null on other splits and with one configuration."
        ),
    ]
    verdict: Verdict
    floors: list[Floor]
    gallery: Gallery
    error_examples: Annotated[
        list[ErrorExample],
        Field(
            description="An example of each class of error of the best configuration (first seed), each in an image of its own."
        ),
    ]
    selection: Annotated[
        Literal["val", "this_split"] | None,
        Field(
            description="What the order of the configurations, and so the best, was chosen by: acc_at_50 on val, or on this split (then all pairs are a family of comparisons). Absent in files of earlier versions: val."
        ),
    ] = None
    reviewed: Annotated[
        Reviewed | None,
        Field(description="Null or absent without a list of reviewed expressions."),
    ] = None


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
            description="The source of the proposals.",
            discriminator="kind",
            title="Detector",
        ),
    ]
    ranking: Annotated[
        Literal["crop", "blur", "circle", "crop+blur"],
        Field(
            description="The view of a box that CLIP encodes: `crop` (as in ClipRPN (Trento)), `blur` (everything outside the box is blurred), `circle` (a red circle around the box), or `crop+blur` (both views, as in ReCLIP without relations)."
        ),
    ]
    templates: Annotated[
        list[Template],
        Field(
            description="Prompt templates; {} is the placeholder for the referring expression. The embeddings of several templates are averaged.",
            max_length=100,
            min_length=1,
        ),
    ]
    category_prior: Annotated[
        bool,
        Field(
            description="Adds the CLIP text similarity between the box's class name and the referring expression to the score."
        ),
    ]
    score_thresh: Annotated[
        float,
        Field(description="Detections with a lower score are dropped.", ge=0.0, le=1.0),
    ]
    nms_thresh: Annotated[
        float,
        Field(
            description="IoU threshold of the detector's non-maximum suppression, applied per class.",
            gt=0.0,
            le=1.0,
        ),
    ]
    max_boxes: Annotated[
        int,
        Field(
            description="The maximum number of boxes per image that are ranked; those with the highest scores are kept.",
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
            description="Hash of the code that decides the results of this kind of trial (a CodeManifest); an outcome with a different hash is stale.",
            pattern="^[0-9a-f]{64}$",
        ),
    ]
    label: Annotated[
        str,
        Field(
            description="Human-readable name of the trial's configuration, such as `fusion=film`."
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
            description="Absolute path of the folder for frozen features and prepared datasets.",
            min_length=1,
        ),
    ]


class SummarizeMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: SummarizeParams
    result: Summary


class CompareDatasetsMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: CompareDatasetsParams
    result: CompareDatasetsResult


class ReadAnswersMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: ReadAnswersParams
    result: ReadAnswersResult


class CombineMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: CombineParams
    result: Combined


class SampleExpressionsMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: SampleExpressionsParams
    result: SampleExpressionsResult


class MeasureSpeedMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: MeasureSpeedParams
    result: SpeedMeasurement


class MeasureReportMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: MeasureReportParams
    result: ReportMeasurement


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
    trains_on: Annotated[
        str | None,
        Field(
            description="Device that trains, if it is not this worker's, such as cuda; null if it is not known. Whether it can train with the spec's precision is checked.",
            pattern="^(cpu|mps|cuda(:[0-9]+)?)$",
        ),
    ] = None


class IndexDatasetParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    source: Annotated[
        RefcocoSource | RowsSource,
        Field(
            description="The source of the referring expressions and boxes.",
            discriminator="layout",
            title="AnnotationSource",
        ),
    ]
    pixels_manifest: Annotated[
        str | None,
        Field(
            description="Absolute path of a manifest.json with the sizes of the images and their problems; refs of images with a problem are left out. Null for a dataset without images."
        ),
    ]
    image_names_file: Annotated[
        str | None,
        Field(
            description="Absolute path of an ImageNames file, as for read_annotations."
        ),
    ] = None
    folder: Annotated[
        str,
        Field(
            description="Absolute path; receives images.parquet, sentences.parquet and objects.parquet."
        ),
    ]


class MeasureBaselineParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    spec: BaselineSpec
    scratch_dir: Annotated[
        str,
        Field(
            description="An existing folder for temporary files, which the caller removes."
        ),
    ]
    targets: list[MeasuredTarget]


class PreparedDataset(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    format_version: Literal[1]
    id: Annotated[
        str,
        Field(
            description="Hash of the annotations, and of the images if the dataset was prepared by `cliprpn prepare`; part of a trial's identity.",
            min_length=1,
        ),
    ]
    name: Annotated[str, Field(min_length=1)]
    split_by: Annotated[
        Literal["umd", "google", "unc", "own"],
        Field(
            description="Author of the splits: `umd`, `google` or `unc` for published splits, `own` for custom data.",
            title="SplitBy",
        ),
    ]
    source: Annotated[
        RefcocoSource | RowsSource,
        Field(
            description="The source of the referring expressions and boxes.",
            discriminator="layout",
            title="AnnotationSource",
        ),
    ]
    annotation_files: list[SourceFile]
    images_dir: Annotated[
        str | None,
        Field(
            description="Absolute path of the folder with the images; null for a dataset without images."
        ),
    ]
    image_folders: Annotated[
        list[ImageFolder] | None,
        Field(
            description="The folders of the images, where there are several, or where they are those of a split; all of them are below `images_dir`."
        ),
    ] = None
    max_pixels: Annotated[
        int, Field(description="Images with more pixels are rejected.", ge=1)
    ]
    follow_links: Annotated[
        bool,
        Field(
            description="True if symbolic links that point outside the image folder were followed."
        ),
    ]
    allow_missing: Annotated[
        bool,
        Field(
            description="True if missing or broken images were skipped, with their refs."
        ),
    ]
    pictures_sha256: Annotated[
        str,
        Field(
            description="Hash of the names, sizes, frames and problems of all images: when it changes, the tables are rebuilt."
        ),
    ]
    dropped: DatasetCounts
    skipped: Annotated[
        list[str] | None,
        Field(
            description="The first of the images that cannot be used, with the place in the annotations and the reason, one line each; absent if there are none."
        ),
    ] = None
    splits: list[SplitCounts]
    split_rule: Annotated[
        str, Field(description="How referring expressions were assigned to splits.")
    ]
    deviations: Annotated[
        list[str],
        Field(
            description="Counts that differ from the published table, one line each."
        ),
    ]
    notes: Annotated[
        list[str], Field(description="Unusual data that was kept, one line each.")
    ]
    matched: Annotated[
        list[MatchedSplit] | None,
        Field(
            description="One entry per published split of which the rows have an expression; absent if the rows were not matched with a published dataset."
        ),
    ] = None
    joint: JointFacts | None = None
    warnings: Annotated[
        list[str] | None,
        Field(
            description="What may make results wrong and cannot be known from the files, one line each; absent in datasets of earlier versions."
        ),
    ] = None
    prepared_at: str
    cliprpn_version: str


class ReadAnnotationsParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    source: Annotated[
        RefcocoSource | RowsSource,
        Field(
            description="The source of the referring expressions and boxes.",
            discriminator="layout",
            title="AnnotationSource",
        ),
    ]
    image_names_file: Annotated[
        str | None,
        Field(
            description="Absolute path of an ImageNames file; images get the names that it gives them, and those of one file become one image. Absent: names stay as they are."
        ),
    ] = None
    images_folder: Annotated[
        str | None,
        Field(
            description="Absolute path; receives the images inside the annotations as files. Absent: they are there, or the annotations only name images."
        ),
    ] = None
    out_file: Annotated[
        str,
        Field(
            description="Absolute path; receives the list of required images as JSON."
        ),
    ]


class AuditRun(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    spec: Annotated[
        ClipRpnSpec | BaselineSpec | None,
        Field(
            description="The trial; null for a model file that no trial trained here."
        ),
    ]
    model: Annotated[
        str | None, Field(description="A .safetensors file; null for a baseline.")
    ]


class AuditParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    dataset: TrialDataset
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    alpha: Annotated[float, Field(gt=0.0, lt=0.5)]
    seed: Annotated[int, Field(ge=0)]
    sent_ids: Annotated[
        list[int],
        Field(
            description="Expressions to show word by word; empty: chosen by a fixed rule."
        ),
    ]
    runs: Annotated[list[AuditRun], Field(min_length=1)]
    cache_dir: str


class IndexDatasetMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: IndexDatasetParams
    result: IndexDatasetResult


class CheckFusionMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: CheckFusionParams
    result: CheckFusionResult


class ReadAnnotationsMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: ReadAnnotationsParams
    result: ReadAnnotationsResult


class CheckDetectorMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: CheckDetectorParams
    result: CheckDetectorResult


class AuditMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: AuditParams
    result: AuditSummary


class MeasureBaselineMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: MeasureBaselineParams
    result: BaselineMeasurement


class DatasetStats(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    facts: PreparedDataset
    num_objects: Annotated[int, Field(description="Objects of all images.", ge=0)]
    image_origins: Annotated[
        list[ImageOriginCount] | None,
        Field(
            description="Images by the published collection that they come from, judging by their names, most frequent first; absent in files of earlier versions."
        ),
    ] = None
    num_coco_train2014: Annotated[
        int,
        Field(description="Images whose file name marks them as COCO train2014.", ge=0),
    ]
    word_bins: Annotated[
        list[WordBin], Field(description="The bins of `word_histogram`.")
    ]
    area_cuts: Annotated[
        AreaCuts | None,
        Field(
            description="Cut points of a box's area as a fraction of its image: RefCOCOg's terciles, and the terciles of this dataset; null where the image size is unknown."
        ),
    ]
    splits: list[SplitStats]
    overlaps: Annotated[
        list[SplitOverlap], Field(description="One entry per pair of splits.")
    ]
    table_checks: list[TableCheck]
    examples: Annotated[
        list[SentenceExample],
        Field(
            description="A seeded sample over splits, categories and areas, for the contact sheet."
        ),
    ]


class EvaluateParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    spec: Annotated[
        ClipRpnSpec | BaselineSpec | None,
        Field(
            description="The trial; null for a model file that no trial trained here."
        ),
    ]
    model: Annotated[
        str | None,
        Field(
            description="A .safetensors file with a .json file of the same name; null for a baseline."
        ),
    ]
    split: Annotated[
        Literal["train", "val", "test", "testA", "testB"], Field(title="Split")
    ]
    dataset: Annotated[
        TrialDataset | None,
        Field(
            description="Null for the dataset that the model was trained on. The trial's limits do not apply to another dataset."
        ),
    ]
    out_dir: Annotated[
        str,
        Field(
            description="Absolute path; receives predictions-<split>.parquet and metrics-<split>.json."
        ),
    ]
    cache_dir: str


class PreflightCheckParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    check: Literal["weights", "crops", "overfit", "parity", "baseline"]
    spec: Annotated[
        ClipRpnSpec | BaselineSpec,
        Field(
            description="One fully resolved trial: Python adds no defaults. `trial_id` is a hash of everything that determines the result (settings, seed, data, weights, num_threads), never of paths or devices.",
            discriminator="kind",
            title="TrialSpec",
        ),
    ]
    scratch_dir: Annotated[
        str,
        Field(
            description="An existing folder for temporary files, which the caller removes."
        ),
    ]
    overfit_limit_s: Annotated[
        float, Field(description="Ends the training of the check `overfit`.", gt=0.0)
    ]


class PreparationPart(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    make: Annotated[
        Literal["features", "detections", "embeddings"],
        Field(
            description="features: CLIP's features of the dataset's images and expressions, and of augmented views. detections: the boxes of a baseline's detector. embeddings: these, and CLIP's embeddings of the boxes and expressions."
        ),
    ]
    trial: Annotated[
        ClipRpnSpec | BaselineSpec,
        Field(
            description="One of the trials that need it.",
            discriminator="kind",
            title="TrialSpec",
        ),
    ]


class PreparationSpec(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Annotated[Literal[1], Field(description="Version of the format.")]
    parts: list[PreparationPart]


class RunPreparationParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    spec: PreparationSpec
    folder: Annotated[
        str,
        Field(
            description="Absolute path of the attempt's folder, which is new; receives, last, outcome.json."
        ),
    ]
    num_lanes: Annotated[
        int,
        Field(
            description="On a CPU: blocks of images that are computed at the same time, each with the trial's number of threads, so that the numbers are those that the trial would compute.",
            ge=1,
        ),
    ]


class RunTrialParams(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    spec: Annotated[
        ClipRpnSpec | BaselineSpec,
        Field(
            description="One fully resolved trial: Python adds no defaults. `trial_id` is a hash of everything that determines the result (settings, seed, data, weights, num_threads), never of paths or devices.",
            discriminator="kind",
            title="TrialSpec",
        ),
    ]
    folder: Annotated[
        str,
        Field(
            description="Absolute path of the attempt's folder, which is new; receives models, predictions and, last, outcome.json."
        ),
    ]
    keep_models: Annotated[
        Literal["all", "best", "none"],
        Field(
            description="The trained models that each trial keeps: those of its best and its last epoch (`all`, the default), that of its best epoch (`best`), or none (`none`). Results and predictions are always kept.",
            title="KeepModels",
        ),
    ]
    fusion_file: Annotated[
        str | None,
        Field(
            description="For messages: the person's file of a custom fusion, of which the trial runs a copy."
        ),
    ] = None
    recorded_weights: Annotated[
        str | None,
        Field(
            description="How models name the weights of their backbone; null or missing for the path in the spec. A pilot sets it where folders have other names than on the machine that runs the sweep."
        ),
    ] = None
    resume_from: Annotated[
        list[str] | None,
        Field(
            description="Absolute paths of earlier attempts at the trial that have no outcome, newest first. The attempt continues the first one with a good checkpoint by the same code."
        ),
    ] = None
    checkpoint_minutes: Annotated[
        float | None,
        Field(
            description="Time between checkpoints within an epoch; 0 or missing for none but those at the end of epochs.",
            ge=0.0,
        ),
    ] = None


class RunTrialMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: RunTrialParams
    result: RunTrialResult


class RunPreparationMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: RunPreparationParams
    result: RunPreparationResult


class EvaluateMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: EvaluateParams
    result: EvaluateResult


class DatasetStatsMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: DatasetStatsParams
    result: DatasetStats


class PreflightCheckMethod(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    params: PreflightCheckParams
    result: PreflightFinding


class BridgeMethods(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    hello: Annotated[HelloMethod, Field(title="HelloMethod")]
    run_trial: Annotated[RunTrialMethod, Field(title="RunTrialMethod")]
    run_preparation: Annotated[
        RunPreparationMethod, Field(title="RunPreparationMethod")
    ]
    index_dataset: Annotated[IndexDatasetMethod, Field(title="IndexDatasetMethod")]
    check_fusion: Annotated[CheckFusionMethod, Field(title="CheckFusionMethod")]
    evaluate: Annotated[EvaluateMethod, Field(title="EvaluateMethod")]
    summarize: Annotated[SummarizeMethod, Field(title="SummarizeMethod")]
    intervals_so_far: Annotated[
        IntervalsSoFarMethod, Field(title="IntervalsSoFarMethod")
    ]
    ground: Annotated[GroundMethod, Field(title="GroundMethod")]
    import_checkpoint: Annotated[
        ImportCheckpointMethod, Field(title="ImportCheckpointMethod")
    ]
    golden: Annotated[GoldenMethod, Field(title="GoldenMethod")]
    read_annotations: Annotated[
        ReadAnnotationsMethod, Field(title="ReadAnnotationsMethod")
    ]
    export_dataset: Annotated[ExportDatasetMethod, Field(title="ExportDatasetMethod")]
    export_questions: Annotated[
        ExportQuestionsMethod, Field(title="ExportQuestionsMethod")
    ]
    compare_datasets: Annotated[
        CompareDatasetsMethod, Field(title="CompareDatasetsMethod")
    ]
    join_datasets: Annotated[JoinDatasetsMethod, Field(title="JoinDatasetsMethod")]
    dataset_stats: Annotated[DatasetStatsMethod, Field(title="DatasetStatsMethod")]
    train_detector: Annotated[TrainDetectorMethod, Field(title="TrainDetectorMethod")]
    check_extra: Annotated[CheckExtraMethod, Field(title="CheckExtraMethod")]
    check_detector: Annotated[CheckDetectorMethod, Field(title="CheckDetectorMethod")]
    read_answers: Annotated[ReadAnswersMethod, Field(title="ReadAnswersMethod")]
    combine: Annotated[CombineMethod, Field(title="CombineMethod")]
    audit: Annotated[AuditMethod, Field(title="AuditMethod")]
    export_changes: Annotated[ExportChangesMethod, Field(title="ExportChangesMethod")]
    audit_answers: Annotated[AuditAnswersMethod, Field(title="AuditAnswersMethod")]
    describe_machine: Annotated[
        DescribeMachineMethod, Field(title="DescribeMachineMethod")
    ]
    sample_expressions: Annotated[
        SampleExpressionsMethod, Field(title="SampleExpressionsMethod")
    ]
    preflight_check: Annotated[
        PreflightCheckMethod, Field(title="PreflightCheckMethod")
    ]
    measure_speed: Annotated[MeasureSpeedMethod, Field(title="MeasureSpeedMethod")]
    measure_baseline: Annotated[
        MeasureBaselineMethod, Field(title="MeasureBaselineMethod")
    ]
    measure_report: Annotated[MeasureReportMethod, Field(title="MeasureReportMethod")]


class PrepareRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["prepare"]
    params: RunPreparationParams
    log_file: Annotated[
        str, Field(description="Absolute path; receives what the attempt prints.")
    ]


class QueuedAttempt(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Literal[1]
    attempt: Annotated[int, Field(description="Counted from 1 for each trial.")]
    params: RunTrialParams
    log_file: Annotated[
        str, Field(description="Absolute path; receives what the attempt prints.")
    ]


class QueuedPreparation(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    schema_version: Literal[1]
    attempt: Annotated[int, Field(description="Counted from 1 for each sweep.")]
    params: RunPreparationParams
    log_file: Annotated[
        str, Field(description="Absolute path; receives what the attempt prints.")
    ]


class RunRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["run"]
    params: RunTrialParams
    log_file: Annotated[
        str, Field(description="Absolute path; receives what the attempt prints.")
    ]


class WorkerRequest(RootModel[RunRequest | PrepareRequest | EndRequest]):
    root: Annotated[
        RunRequest | PrepareRequest | EndRequest,
        Field(
            description="A line that `python -m cliprpn.worker` reads from its standard input, at the end of which it exits.",
            discriminator="type",
            title="WorkerRequest",
        ),
    ]

SCHEMA_SHA256 = "a794b30e7b815d474fd8e8b4dacec0696994950d273e8ee8e855e457c19d9dcd"
