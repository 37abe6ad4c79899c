/**
 * Keys of other tools (Hydra, Ray Tune, wandb, ultralytics, mmdetection, argparse scripts) and ours. Keys that are only spelled
 * in another way are found by their distance; these are not.
 */
const keys: Record<string, string> = {
  lr0: "training.learning_rate",
  base_lr: "training.learning_rate",
  max_epochs: "training.num_epochs",
  n_epochs: "training.num_epochs",
  num_train_epochs: "training.num_epochs",
  iterations: "training.num_epochs",
  batch: "training.batch_size",
  bs: "training.batch_size",
  samples_per_gpu: "training.batch_size",
  per_device_train_batch_size: "training.batch_size",
  optim: "training.optimizer",
  wd: "training.weight_decay",
  scheduler: "training.schedule",
  lr_scheduler: "training.schedule",
  warmup: "training.warmup_fraction",
  warmup_epochs: "training.warmup_fraction",
  warmup_ratio: "training.warmup_fraction",
  grad_clip: "training.grad_clip_norm",
  clip_grad_norm: "training.grad_clip_norm",
  gradient_clip_val: "training.grad_clip_norm",
  max_grad_norm: "training.grad_clip_norm",
  amp: "training.precision",
  fp16: "training.precision",
  bf16: "training.precision",
  half: "training.precision",
  mixed_precision: "training.precision",
  precision: "training.precision",
  use_deterministic_algorithms: "training.deterministic",
  cudnn_deterministic: "training.deterministic",
  cuda_graph: "training.cuda_graphs",
  use_cuda_graph: "training.cuda_graphs",
  enable_cuda_graph: "training.cuda_graphs",
  imgsz: "image_size_px",
  img_size: "image_size_px",
  image_size: "image_size_px",
  input_size: "image_size_px",
  img_scale: "image_size_px",
  hidden_dim: "neck_channels",
  num_channels: "neck_channels",
  nms: "rpn.nms_thresh",
  iou_thres: "rpn.nms_thresh",
  iou_threshold: "rpn.nms_thresh",
  num_proposals: "rpn.post_nms_top_n",
  conf: "baseline.score_thresh",
  conf_thres: "baseline.score_thresh",
  score_threshold: "baseline.score_thresh",
  max_det: "baseline.max_boxes",
  prompts: "baseline.templates",
  prompt: "baseline.templates",
};

/** What to write at the top of an experiment in place of keys of other tools. */
const topLevel: Record<string, string> = {
  description: "question",
  title: "question",
  notes: "question",
  goal: "question",
  hypothesis: "question",
  experiment: "name",
  experiment_name: "name",
  exp_name: "name",
  run_name: "name",
  project: "name",
  id: "name",
  data: 'dataset, as in "dataset": { "name": "demo" }',
  data_root: 'dataset, as in "dataset": { "root": "DIR" }',
  data_dir: 'dataset, as in "dataset": { "root": "DIR" }',
  datasets: "dataset: a sweep has one dataset",
  model: "settings and backbone",
  clip: "backbone",
  encoder: "backbone",
  pretrained: 'backbone, as in "backbone": { "weights": "FILE" }',
  weights: 'backbone, as in "backbone": { "weights": "FILE" }',
  params: "settings, or vary to compare values",
  hparams: "settings, or vary to compare values",
  hyperparameters: "settings, or vary to compare values",
  config: "settings, or vary to compare values",
  args: "settings, or vary to compare values",
  defaults: "settings, or preset",
  _base_: "preset: files have no parents",
  base: "preset: files have no parents",
  parameters: "vary",
  grid: "vary",
  sweep: "vary",
  sweeper: "vary",
  search_space: "vary",
  param_space: "vary",
  space: "vary",
  matrix: "vary",
  ablations: "also",
  configurations: "also",
  variants: "also",
  runs: "also",
  trials: "also",
  random_seed: "seeds",
  num_seeds: "seeds, as in [0, 1, 2]",
  n_seeds: "seeds, as in [0, 1, 2]",
  repeats: "seeds, as in [0, 1, 2]",
  control: "baseline: the label of the configuration to compare with",
  reference: "baseline: the label of the configuration to compare with",
  threads: "num_threads",
  save_models: "keep_models",
  checkpoints: "keep_models",
};

/** What is an option of the command, not a key of the file. */
const options: Record<string, string> = {
  device: "Use --device.",
  gpu: "Use --device cuda:0.",
  gpus: "Use --device cuda:0.",
  accelerator: "Use --device.",
  workers: "Use --workers.",
  num_workers: "Use --workers, for trials at the same time.",
  max_concurrent_trials: "Use --workers.",
  output_dir: "Use --runs-dir.",
  out_dir: "Use --runs-dir.",
  work_dir: "Use --runs-dir.",
  save_dir: "Use --runs-dir.",
  log_dir: "Use --runs-dir.",
  storage_path: "Use --runs-dir.",
  timeout: "Use --trial-timeout.",
  resume: "No key is needed: re-run the same command to resume.",
  method: "A sweep runs every combination of vary; there is no sampling.",
  search_alg: "A sweep runs every combination of vary; there is no sampling.",
  num_samples: "A sweep runs every combination of vary; there is no sampling.",
  n_trials: "A sweep runs every combination of vary; there is no sampling.",
  program: "The settings decide what is trained.",
  early_stopping: "Every epoch runs; training.select_by chooses the best on val.",
  patience: "Every epoch runs; training.select_by chooses the best on val.",
  command: "The settings decide what is trained.",
};

/**
 * Suggests what to write for a key of another tool; an empty string if it is not known.
 *
 * @param isTop true for a key at the top of an experiment.
 */
export function suggestForeignKey(typed: string, isTop: boolean): string {
  const key = typed.toLowerCase().replaceAll("-", "_");
  const last = key.split(".").at(-1) ?? key;
  const setting = find(keys, key) ?? find(keys, last);
  const top = isTop ? find(topLevel, key) : undefined;
  if (top !== undefined) return ` Did you mean ${top}?`;
  const option = find(options, key) ?? find(options, last);
  if (option !== undefined) return ` ${option}`;
  return setting === undefined ? "" : ` Did you mean ${isTop ? "settings." : ""}${setting}?`;
}

/** The setting of a key of another tool: `training.learning_rate` for `lr0`. */
export function settingOfForeignKey(typed: string): string | undefined {
  return find(keys, typed.toLowerCase().replaceAll("-", "_"));
}

function find(table: Record<string, string>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
