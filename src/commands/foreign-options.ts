import { quoteForShell } from "../base/format.ts";
import type { Command } from "./command.ts";

/** Options of other tools, and what does that here. */
interface ForeignOptions {
  /** Without dashes, in lower case; `_` for `-`. */
  names: string;
  /** The option of ours that the advice is about: a command that lacks it gets another advice, or none. */
  needs?: string;
  advice: string;
}

const rerun = "finished trials are kept, so re-run the same command to resume";

/** Hydra, Ray, ultralytics, mmdetection, Lightning and common scripts. The first row that fits the command counts. */
const table: ForeignOptions[] = [
  {
    names:
      "resume resume_from resume_id auto_resume continue c_resume restore restart_from load_from last_checkpoint",
    needs: "retry-failed",
    advice: `no option is needed: ${rerun}`,
  },
  {
    names: "resume resume_from auto_resume continue restore",
    advice: "no option is needed: re-run the same command to resume",
  },
  {
    names: "overwrite force rerun exist_ok no_resume restart fresh clean from_scratch",
    needs: "retry-failed",
    advice:
      "finished trials are kept. --retry-failed runs failed trials again, --rerun-stale those of other code; for a new start, use another --runs-dir",
  },
  {
    names: "retry retry_errored restart_errored resume_errored max_failures",
    needs: "retry-failed",
    advice: "use --retry-failed",
  },
  {
    names:
      "config cfg config_file config_name config_path config_dir cn cp experiment exp file input yaml json_file cfg_file study spec",
    needs: "set",
    advice: "the experiment file is an argument without an option",
  },
  {
    names: "multirun m grid sweep hparams_search",
    needs: "set",
    advice:
      '`vary` in the experiment file lists the values to compare, as in --set \'vary.fusion=["film","concatenation"]\'',
  },
  {
    names:
      "set_value override overrides opts opt cfg_options options o param params p d config_override hydra_overrides hp kwargs",
    needs: "set",
    advice: "use --set key=value, once for each key",
  },
  {
    names:
      "gpu gpus gpu_id gpu_ids gpus_per_trial cuda cuda_device num_gpus use_gpu accelerator devices cuda_visible_devices",
    needs: "device",
    advice: "use --device cuda, or cuda:0 for one of several",
  },
  { names: "cpu no_cuda no_gpu use_cpu cpu_only", needs: "device", advice: "use --device cpu" },
  {
    names:
      "num_workers nw jobs j n_jobs njobs parallel max_concurrent_trials max_concurrent concurrency procs nproc num_proc n_parallel",
    needs: "workers",
    advice: "use --workers N, for trials at the same time",
  },
  {
    names:
      "local_rank rank world_size nproc_per_node nnodes node_rank master_addr master_port ddp distributed dist launcher strategy num_nodes",
    needs: "runs-dir",
    advice: "no option is needed: each trial runs on one device",
  },
  {
    names:
      "output output_dir out_dir outdir out o work_dir workdir logdir log_dir save_dir save project results_dir result_dir storage_path local_dir root_dir default_root_dir exp_dir run_dir runs",
    needs: "runs-dir",
    advice: "use --runs-dir DIR",
  },
  { names: "output output_dir out_dir outdir o save destination dest", needs: "out", advice: "use --out" },
  {
    names: "output output_dir out_dir out o save_dir",
    needs: "images",
    advice: "prepared datasets lie in data/NAME, or below CLIPRPN_DATA",
  },
  {
    names: "name exp_name run_name experiment_name study_name run_id tag id",
    needs: "set",
    advice: "use --set name=NAME",
  },
  {
    names: "seed seeds random_seed num_seeds n_seeds repeats",
    needs: "set",
    advice: "use --set 'seeds=[0,1,2]'",
  },
  { names: "seed random_seed", needs: "split-seed", advice: "use --split-seed N" },
  {
    names: "data dataset data_root data_path data_dir dataset_root root dataroot datadir",
    needs: "set",
    advice: "use --set dataset.name=NAME, of a dataset made by `cliprpn prepare`",
  },
  {
    names: "data dataset data_root data_path data_dir dataset_root",
    needs: "root",
    advice: "use --root DIR for a folder of RefCOCO, --from FILE for your own annotations",
  },
  { names: "data data_root dataset_root root", needs: "dataset", advice: "use --dataset NAME" },
  {
    names: "fusion fusions model models",
    needs: "set",
    advice: 'use --set \'vary.fusion=["film","concatenation"]\'',
  },
  {
    names: "pretrained clip clip_model clip_path backbone_weights weights",
    needs: "set",
    advice: "use --set backbone.weights=FILE",
  },
  { names: "preset base", needs: "set", advice: "use --set preset=reference" },
  {
    names:
      "save_every checkpoint_every save_period save_best_only keep_checkpoints num_to_keep checkpoint_dir save_models no_save",
    needs: "set",
    advice: "use --set keep_models=best, all or none",
  },
  {
    names:
      "max_trials num_samples n_trials num_trials trials budget search_alg algo sampler pruner scheduler metric mode method strategy_name",
    needs: "workers",
    advice:
      "a sweep runs every combination of `vary` with every seed; there is no sampling and no early stopping",
  },
  {
    names: "patience early_stop early_stopping",
    needs: "set",
    advice: "every epoch runs; the best is chosen by training.select_by on val",
  },
  {
    names: "timeout time_budget time_limit max_time time_budget_s",
    needs: "trial-timeout",
    advice: "use --trial-timeout SECONDS",
  },
  {
    names:
      "dryrun dry n check validate print_config cfg_job info plan noop no_run list_trials pretend test_run",
    needs: "dry-run",
    advice: "use --dry-run",
  },
  {
    names: "debug verbose v vv log_level loglevel show_output progress",
    advice:
      "there is no such option: the output of a trial is in worker.log in its folder, and `cliprpn show TRIAL` names it",
  },
  {
    names: "quiet q silent no_progress",
    advice:
      "there is no such option: progress goes to stderr, results to stdout; 2> /dev/null hides the former",
  },
  {
    names: "wandb tensorboard tb logger report_to mlflow comet",
    needs: "runs-dir",
    advice: "no option is needed: each attempt's folder has TensorBoard events",
  },
  {
    names: "yes y no_input assume_yes non_interactive batch_mode",
    advice: "no option is needed: nothing is asked",
  },
  {
    names: "split subset eval val validate_only test test_only eval_only evaluate val_only",
    needs: "trial-timeout",
    advice: "a sweep reports val; `cliprpn report SWEEP --split test` evaluates its models on test",
  },
  {
    names:
      "annotations annotation ann anns ann_file ann_path labels label json jsonl csv coco annotation_file annotation_path input inputs file files source refs",
    needs: "from",
    advice: "use --from FILE, or --from train=FILE for one split",
  },
  {
    names: "train val test validation train_file val_file test_file train_json val_json",
    needs: "from",
    advice: "use --from train=FILE --from val=FILE",
  },
  {
    names:
      "img_dir image_dir images_dir image_root img_root image_path image_folder img_folder imgs img images_path images_folder im_dir",
    needs: "images",
    advice: "use --images DIR",
  },
  {
    names: "bbox_format bbox box bbox_type box_type xyxy xywh",
    needs: "box-format",
    advice: "use --box-format xyxy, or another of its formats",
  },
  {
    names: "skip_missing ignore_missing allow_missing_images missing_ok",
    needs: "allow-missing",
    advice: "use --allow-missing",
  },
  {
    names: "skip_invalid ignore_errors skip_errors skip_bad ignore_invalid",
    needs: "allow-invalid",
    advice: "use --allow-invalid",
  },
  { names: "clip_bbox clip_bboxes clamp clamp_boxes clip", needs: "clip-boxes", advice: "use --clip-boxes" },
  { names: "imgsz img_size input_size size", needs: "image-size", advice: "use --image-size N" },
  {
    names: "expression text query caption prompt sentence phrase",
    needs: "out",
    advice: "the expression is an argument, in quotes",
  },
  { names: "workers jobs num_workers", advice: "this command has no parallel work to set" },
  { names: "h", advice: "use --help" },
];

/**
 * What to write in place of an option of another tool; undefined if it is not known.
 *
 * @param value that it was given.
 * @param settingOf finds the setting of an experiment by another tool's name: `training.learning_rate` for `lr`.
 */
export function adviseForeignOption(
  typed: string,
  value: string | undefined,
  { options = {} }: Pick<Command, "options">,
  settingOf: (name: string) => string | undefined,
): string | undefined {
  const name = typed.toLowerCase().replaceAll("-", "_");
  const row = table.find(
    ({ names, needs }) => names.split(" ").includes(name) && (needs === undefined || needs in options),
  );
  if (row !== undefined) return row.advice;
  if (!("set" in options)) return undefined;
  const setting = settingOf(typed);
  return setting === undefined ? undefined : `use --set ${quoteForShell(`${setting}=${value ?? "VALUE"}`)}`;
}
