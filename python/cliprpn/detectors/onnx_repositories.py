"""Names exports of other repositories by their inputs, outputs and operators, for messages."""

from __future__ import annotations

USE_FILE = (
    "or save its boxes as COCO results JSON and use them with the detector `file` "
    "(cliprpn baseline --detector file --file FILE)"
)


def name_exporter(inputs: list[str], outputs: dict[str, int]) -> str | None:
    """What a graph is that has no layout that is read here, and what to do; None for any other graph.

    Args:
        inputs: names of the graph's inputs.
        outputs: number of axes of each output, by its name.
    """
    names = {*inputs, *outputs}
    if {"num_dets", "det_boxes", "det_scores", "det_classes"} <= names:
        return (
            "found an export with NMS for TensorRT (`--end2end` of the yolov7 repository and others); export it "
            f"without NMS (`--grid` alone), {USE_FILE}"
        )
    if {"orig_target_sizes", "labels", "boxes", "scores"} <= names:
        return (
            "found an RT-DETR, D-FINE or DEIM of its own repository (inputs images and orig_target_sizes); export an "
            f"RT-DETR with ultralytics (yolo export format=onnx), {USE_FILE}"
        )
    if {"pixel_values", "logits", "pred_boxes"} <= names:
        return (
            "found a detector of Hugging Face transformers (DETR, RT-DETR, OWL, Grounding DINO, ...), whose "
            f"preprocessing is not in the file; export a YOLO with ultralytics, {USE_FILE}"
        )
    if {"im_shape", "scale_factor"} & names:
        return f"found a detector of PaddleDetection; export a YOLO with ultralytics, {USE_FILE}"
    if {"dets", "labels"} <= names and "input" in names:
        return f"found a detector of OpenMMLab (mmdeploy); export a YOLO with ultralytics, {USE_FILE}"
    if len(outputs) > 1 and all(num_axes in (4, 5) for num_axes in outputs.values()):
        return (
            "found a YOLO exported without its decoding (one output per stride); export it with `--grid` (yolov7) or "
            f"`--include onnx` (yolov5), {USE_FILE}"
        )
    return None


def name_missing_operator(message: str) -> str | None:
    """What a graph is that onnxruntime cannot load, by the operators in its message; None if unknown."""
    if "EfficientNMS" in message or "BatchedNMS" in message or "TRT" in message:
        return (
            "found an export for TensorRT (operators such as EfficientNMS_TRT), which onnxruntime cannot run; "
            f"export it without NMS, {USE_FILE}"
        )
    return None
