"""The contract's methods that need torch, with the models of their params and results: see `figure_methods.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel

from cliprpn.arithmetic import use_deterministic
from cliprpn.audit.audit import audit
from cliprpn.audit.outside import audit_answers
from cliprpn.audit.questions import export_changes
from cliprpn.contract.generated import (
    AuditAnswersParams,
    AuditAnswersResult,
    AuditParams,
    AuditSummary,
    BaselineMeasurement,
    CheckDetectorParams,
    CheckDetectorResult,
    CheckExtraParams,
    CheckExtraResult,
    CheckFusionParams,
    CheckFusionResult,
    CompareDatasetsParams,
    CompareDatasetsResult,
    DatasetStats,
    DatasetStatsParams,
    DescribeMachineParams,
    EvaluateParams,
    EvaluateResult,
    ExportChangesParams,
    ExportChangesResult,
    ExportDatasetParams,
    ExportDatasetResult,
    GoldenParams,
    GoldenResult,
    GroundParams,
    GroundResult,
    ImportCheckpointParams,
    ImportCheckpointResult,
    IndexDatasetParams,
    IndexDatasetResult,
    JoinDatasetsParams,
    JoinDatasetsResult,
    MachineDescription,
    MeasureBaselineParams,
    MeasureReportParams,
    MeasureSpeedParams,
    PreflightCheckParams,
    PreflightFinding,
    ReadAnnotationsParams,
    ReadAnnotationsResult,
    ReportMeasurement,
    RunPreparationParams,
    RunPreparationResult,
    RunTrialParams,
    RunTrialResult,
    SampleExpressionsParams,
    SampleExpressionsResult,
    SpeedMeasurement,
    TrainDetectorParams,
    TrainDetectorResult,
    WantedImage,
    WantedImages,
    WarningEvent,
)
from cliprpn.data.export import export_rows
from cliprpn.data.index import open_dataset, open_tables, read_facts
from cliprpn.data.long_expressions import long_expression_lines
from cliprpn.data.pixels import read_manifest
from cliprpn.data.predictions import predictions_file
from cliprpn.data.sources import count_splits, read_source
from cliprpn.data.tables import write_tables
from cliprpn.detectors.check_extra import check_extra
from cliprpn.detectors.propose import check_detector
from cliprpn.detectors.train_yolo import train_yolo
from cliprpn.figures.dataset_stats.compute import compute_dataset_stats
from cliprpn.figures.dataset_stats.shared_images import compare_datasets
from cliprpn.inference.build import FeatureSizes, check_fusion
from cliprpn.inference.checkpoint import checkpoint_bytes
from cliprpn.inference.golden import check_golden
from cliprpn.inference.ground import ground
from cliprpn.inference.importer import convert_checkpoint
from cliprpn.joint.join import join_datasets
from cliprpn.memory import collection_paused
from cliprpn.models.text_length import CONTEXT_LENGTH, find_cut
from cliprpn.preflight.baseline_speed import measure_baseline
from cliprpn.preflight.checks import CHECKS
from cliprpn.preflight.examples import sample_expressions
from cliprpn.preflight.machine import describe_machine
from cliprpn.preflight.report_speed import measure_report
from cliprpn.preflight.speed import measure_speed
from cliprpn.run_context import Emit, RunContext
from cliprpn.seeding import seed_everything
from cliprpn.storage.durable import write_json
from cliprpn.storage.weights_files import load_backbone
from cliprpn.trials.attempt import run_attempt
from cliprpn.trials.evaluate import evaluate
from cliprpn.trials.precision import choose_precision
from cliprpn.trials.preparation import run_preparation
from cliprpn.trials.worker_memory import measure_memory


@dataclass(frozen=True)
class CallContext:
    """Passed to a method with its params: events, stop requests and the device."""

    emit: Emit
    should_stop: Callable[[], bool]
    device: torch.device

    def with_cache(self, cache_dir: str) -> RunContext:
        """The same, with a cache folder."""
        return RunContext(self.device, Path(cache_dir), self.emit, self.should_stop)


@dataclass(frozen=True)
class Method:
    """The models of a method's params and result, and the function that runs it."""

    params: type[BaseModel]
    result: type[BaseModel]
    run: Callable[[Any, CallContext], BaseModel]


CUT_WARNING = (
    f"the expression is longer than the {CONTEXT_LENGTH} tokens (with start and end) that CLIP's text encoder reads; "
    "its end is cut off"
)


def _run_trial(params: RunTrialParams, context: CallContext) -> RunTrialResult:
    outcome = run_attempt(params, context.device, context.emit, context.should_stop)
    return RunTrialResult(outcome=outcome, memory=measure_memory(context.device))


def _run_preparation(params: RunPreparationParams, context: CallContext) -> RunPreparationResult:
    folder = Path(params.folder)
    outcome = run_preparation(
        params.spec, folder, params.num_lanes, context.device, context.emit, context.should_stop
    )
    return RunPreparationResult(outcome=outcome)


def _read_annotations(params: ReadAnnotationsParams, context: CallContext) -> ReadAnnotationsResult:
    names_file, images_folder = _path(params.image_names_file), _path(params.images_folder)
    with collection_paused():
        annotations = read_source(params.source, names_file, images_folder).annotations
    images = [WantedImage(**asdict(image)) for image in annotations.images]
    write_json(Path(params.out_file), WantedImages(pictures=images))
    splits = count_splits(annotations)
    return ReadAnnotationsResult.model_validate({"num_pictures": len(images), "splits": splits})


def _path(name: str | None) -> Path | None:
    return None if name is None else Path(name)


def _index_dataset(params: IndexDatasetParams, context: CallContext) -> IndexDatasetResult:
    source, folder = read_source(params.source, _path(params.image_names_file)), Path(params.folder)
    pixels = None if params.pixels_manifest is None else read_manifest(Path(params.pixels_manifest))
    written = write_tables(source.annotations, pixels, folder, source.rules, source.folder)
    dropped = replace(
        written.dropped, num_sentences=written.dropped.num_sentences + source.annotations.num_left_out
    )
    index = open_tables(folder, "", None, source.annotations.box_format)
    return IndexDatasetResult.model_validate(
        {
            "splits": index.counts(),
            "dropped": asdict(dropped),
            "split_rule": source.split_rule,
            "notes": [*source.annotations.notes, *written.notes],
            "warnings": [*source.annotations.warnings, *written.warnings, *long_expression_lines(index)],
            "matched": None if source.matched is None else [asdict(split) for split in source.matched],
        }
    )


def _export_dataset(params: ExportDatasetParams, context: CallContext) -> ExportDatasetResult:
    root = Path(params.root)
    index = open_dataset(root, read_facts(root).id)
    num_sentences = export_rows(index, params.format, params.box_format, Path(params.out_file))
    return ExportDatasetResult(num_sentences=num_sentences)


def _compare_datasets(params: CompareDatasetsParams, context: CallContext) -> CompareDatasetsResult:
    return compare_datasets([Path(root) for root in params.roots], Path(params.cache_dir))


def _join_datasets(params: JoinDatasetsParams, context: CallContext) -> JoinDatasetsResult:
    return join_datasets(params)


def _dataset_stats(params: DatasetStatsParams, context: CallContext) -> DatasetStats:
    return compute_dataset_stats(Path(params.root), params.hash_pixels)


def _check_fusion(params: CheckFusionParams, context: CallContext) -> CheckFusionResult:
    spec = params.spec
    seed_everything(spec.seed, spec.num_threads)
    use_deterministic(spec.settings.training.deterministic, context.device)
    if "trains_on" not in params.model_fields_set:
        choose_precision(spec.settings.training, context.device)
    elif params.trains_on is not None:  # Each worker that joins checks its own.
        choose_precision(spec.settings.training, torch.device(params.trains_on))
    sizes = _feature_sizes(spec.backbone.name, spec.backbone.weights)
    num_parameters = check_fusion(spec.settings, sizes, context.device)
    return CheckFusionResult(
        num_parameters=num_parameters, checkpoint_bytes=checkpoint_bytes(spec.settings, sizes)
    )


@cache
def _feature_sizes(name: str, weights: str) -> FeatureSizes:
    """map_channels, pooled_dim and word_dim of a backbone; cached, as a sweep checks many fusions."""
    backbone = load_backbone(name, weights)
    return backbone.map_channels, backbone.pooled_dim, backbone.word_dim


def _train_detector(params: TrainDetectorParams, context: CallContext) -> TrainDetectorResult:
    index = open_dataset(Path(params.dataset.root), params.dataset.id)
    weights, trained = train_yolo(params.detector, index, context.with_cache(params.cache_dir))
    return TrainDetectorResult(weights_file=str(weights), trained=trained)


def _check_detector(params: CheckDetectorParams, context: CallContext) -> CheckDetectorResult:
    index = open_dataset(Path(params.dataset.root), params.dataset.id)
    num_classes = check_detector(params.settings, index, context.with_cache(params.cache_dir))
    return CheckDetectorResult(num_classes=num_classes)


def _check_extra(params: CheckExtraParams, context: CallContext) -> CheckExtraResult:
    check_extra(params.name, Path(params.cache_dir))
    return CheckExtraResult(name=params.name)


def _evaluate(params: EvaluateParams, context: CallContext) -> EvaluateResult:
    out_dir = Path(params.out_dir)
    run_context = context.with_cache(params.cache_dir)
    model_file = None if params.model is None else Path(params.model)
    metrics = evaluate(params.spec, model_file, params.dataset, params.split, out_dir, run_context)
    return EvaluateResult(metrics=metrics, predictions_file=str(predictions_file(out_dir, params.split)))


def _audit(params: AuditParams, context: CallContext) -> AuditSummary:
    return audit(params, context.with_cache(params.cache_dir))


def _audit_answers(params: AuditAnswersParams, context: CallContext) -> AuditAnswersResult:
    return audit_answers(params)


def _export_changes(params: ExportChangesParams, context: CallContext) -> ExportChangesResult:
    return export_changes(params)


def _ground(params: GroundParams, context: CallContext) -> GroundResult:
    if bool(find_cut([params.sentence]).any()):
        context.emit(WarningEvent(type="warning", message=CUT_WARNING))
    return ground(
        Path(params.model),
        params.backbone_weights,
        Path(params.pixels_manifest),
        params.sentence,
        context.device,
    )


def _import_checkpoint(params: ImportCheckpointParams, context: CallContext) -> ImportCheckpointResult:
    parts, model_file, backbone_file = convert_checkpoint(Path(params.checkpoint_file), Path(params.out_dir))
    modules = (parts.fusion, parts.head)
    return ImportCheckpointResult(
        fusion=parts.fusion_name,
        model_file=str(model_file),
        backbone_file=None if backbone_file is None else str(backbone_file),
        num_parameters=sum(p.numel() for module in modules for p in module.parameters()),
    )


def _golden(params: GoldenParams, context: CallContext) -> GoldenResult:
    rows = check_golden([Path(file) for file in params.files], context.device)
    return GoldenResult.model_validate({"rows": [row._asdict() for row in rows]})


def _describe_machine(params: DescribeMachineParams, context: CallContext) -> MachineDescription:
    return describe_machine(context.device)


def _sample_expressions(params: SampleExpressionsParams, context: CallContext) -> SampleExpressionsResult:
    return sample_expressions(params)


def _preflight_check(params: PreflightCheckParams, context: CallContext) -> PreflightFinding:
    run_context = context.with_cache(params.spec.cache_dir)
    return CHECKS[params.check](params.spec, Path(params.scratch_dir), run_context, params.overfit_limit_s)


def _measure_speed(params: MeasureSpeedParams, context: CallContext) -> SpeedMeasurement:
    run_context = context.with_cache(params.spec.cache_dir)
    scratch = Path(params.scratch_dir)
    return measure_speed(params.spec, params.num_steps, params.limit_ms, params.targets, scratch, run_context)


def _measure_baseline(params: MeasureBaselineParams, context: CallContext) -> BaselineMeasurement:
    run_context = context.with_cache(params.spec.cache_dir)
    return measure_baseline(params.spec, params.targets, Path(params.scratch_dir), run_context)


METHODS: dict[str, Method] = {
    "run_trial": Method(RunTrialParams, RunTrialResult, _run_trial),
    "run_preparation": Method(RunPreparationParams, RunPreparationResult, _run_preparation),
    "read_annotations": Method(ReadAnnotationsParams, ReadAnnotationsResult, _read_annotations),
    "index_dataset": Method(IndexDatasetParams, IndexDatasetResult, _index_dataset),
    "export_dataset": Method(ExportDatasetParams, ExportDatasetResult, _export_dataset),
    "compare_datasets": Method(CompareDatasetsParams, CompareDatasetsResult, _compare_datasets),
    "join_datasets": Method(JoinDatasetsParams, JoinDatasetsResult, _join_datasets),
    "dataset_stats": Method(DatasetStatsParams, DatasetStats, _dataset_stats),
    "train_detector": Method(TrainDetectorParams, TrainDetectorResult, _train_detector),
    "check_detector": Method(CheckDetectorParams, CheckDetectorResult, _check_detector),
    "check_extra": Method(CheckExtraParams, CheckExtraResult, _check_extra),
    "check_fusion": Method(CheckFusionParams, CheckFusionResult, _check_fusion),
    "evaluate": Method(EvaluateParams, EvaluateResult, _evaluate),
    "audit": Method(AuditParams, AuditSummary, _audit),
    "audit_answers": Method(AuditAnswersParams, AuditAnswersResult, _audit_answers),
    "export_changes": Method(ExportChangesParams, ExportChangesResult, _export_changes),
    "ground": Method(GroundParams, GroundResult, _ground),
    "import_checkpoint": Method(ImportCheckpointParams, ImportCheckpointResult, _import_checkpoint),
    "describe_machine": Method(DescribeMachineParams, MachineDescription, _describe_machine),
    "sample_expressions": Method(SampleExpressionsParams, SampleExpressionsResult, _sample_expressions),
    "preflight_check": Method(PreflightCheckParams, PreflightFinding, _preflight_check),
    "measure_speed": Method(MeasureSpeedParams, SpeedMeasurement, _measure_speed),
    "measure_baseline": Method(MeasureBaselineParams, BaselineMeasurement, _measure_baseline),
    "measure_report": Method(
        MeasureReportParams, ReportMeasurement, lambda params, context: measure_report(params)
    ),
    "golden": Method(GoldenParams, GoldenResult, _golden),
}
