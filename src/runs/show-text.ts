import { counted, formatBytes, formatDuration, joinWords } from "../base/format.ts";
import type { MetricName, Metrics } from "../contract/generated/types.ts";
import { metricTitles } from "../report/figures.ts";
import { points } from "../report/points.ts";
import type { ShownAttempt, ShownTrial } from "./show-trial.ts";
import { filled, indented, textTable, utcTime, valueText } from "./text.ts";

/** A trial for a terminal of 80 columns. */
export function showText(shown: ShownTrial): string {
  const { attempts, shown_attempt, running, problems } = shown;
  const blocks = [
    [`Trial ${shown.trial_id}`, ...identityLines(shown)],
    ...attempts.map((attempt) => attemptLines(attempt, attempt.number === shown_attempt, running)),
    ...(attempts.length === 0 ? [["No attempt yet."]] : []),
    ...(problems.length === 0 ? [] : [problems.flatMap((text) => filled(`Cannot be read: ${text}`))]),
  ];
  return blocks.map((lines) => lines.join("\n")).join("\n\n");
}

function identityLines({ identity, preset, settings, sweeps, folder }: ShownTrial): string[] {
  const { kind, dataset, backbone, num_threads } = identity;
  const what = kind === "cliprpn" ? `ClipRPN, seed ${identity.seed}, ${preset} preset` : "baseline";
  return [
    ...indented(`${what}, ${counted(num_threads, "thread")}`),
    ...indented(`dataset ${dataset.id} (${dataset.split_by} splits), CLIP ${backbone.name}`),
    ...indented(`folder ${folder}`),
    ...sweeps.flatMap(({ name, label, asked }) =>
      indented(`sweep ${name}: ${label}${asked ? "" : " (no longer asked for)"}`),
    ),
    ...(sweeps.length === 0 ? indented("no sweep asks for it") : []),
    ...(settings.length === 0
      ? indented(kind === "cliprpn" ? "no setting differs from the preset" : "all settings are the defaults")
      : [
          `  settings that differ from ${kind === "cliprpn" ? `the ${preset} preset` : "the defaults"}:`,
          ...settingLines(
            settings.map(({ key, a, b }) => [
              key,
              valueText(a),
              b === undefined ? "" : `(${kind === "cliprpn" ? "preset" : "default"}: ${valueText(b)})`,
            ]),
          ),
        ]),
  ];
}

/** A table, or if that is wider than the terminal one line each. */
function settingLines(rows: [key: string, value: string, usual: string][]): string[] {
  const table = textTable(rows, 3, "    ");
  if (Math.max(...table.map((line) => line.length)) <= 80) return table;
  return rows.flatMap(([key, value, usual]) => indented(`${key}: ${value} ${usual}`.trimEnd(), "    "));
}

function attemptLines(attempt: ShownAttempt, isShown: boolean, running: string | null): string[] {
  const { number, code, models, answers, origin } = attempt;
  const later = answers.filter(({ split, dataset_id }) => split !== "val" || dataset_id !== null);
  return [
    ...filled(`Attempt ${number}: ${stateText(attempt, running)}${isShown ? "; shown in reports" : ""}`),
    ...placeLines(attempt),
    ...resultLines(attempt),
    ...(code === null ? [] : indented(codeText(code))),
    ...(origin === null
      ? []
      : indented(`${origin.kind === "import" ? "imported" : "adopted"} from ${origin.from}`)),
    ...(models.length === 0
      ? []
      : indented(
          `models: ${joinWords(models.map(({ epoch, bytes }) => `${epoch}.safetensors (${formatBytes(bytes)})`))}`,
        )),
    ...(later.length === 0
      ? []
      : indented(
          `also evaluated on ${joinWords(later.map(({ split, dataset_id }) => (dataset_id === null ? split : `${split} of dataset ${dataset_id}`)))}`,
        )),
  ];
}

function stateText(attempt: ShownAttempt, running: string | null): string {
  const { state, started_at, finished_at, accepted } = attempt;
  const when = finished_at === null ? "" : ` ${utcTime(finished_at)}`;
  switch (state) {
    case "completed": {
      const { device, device_name } = attempt.environment;
      const where = `on ${device} (${device_name})`;
      const refused = accepted ? "" : "; not accepted: another attempt was first, or its process was killed";
      return `completed${when} in ${formatDuration(attempt.duration_ms)} ${where}${refused}`;
    }
    case "failed":
      return `failed${when}`;
    case "running":
      return `running${started_at === null ? "" : ` since ${utcTime(started_at)}`}, ${running}`;
    case "unfinished":
      return `never finished: interrupted or killed${when}`;
  }
}

/** The machine, as its worker recorded it; of an attempt without a result, what the journal has. */
function placeLines(attempt: ShownAttempt): string[] {
  const { worker } = attempt;
  if (attempt.state !== "completed") return worker === null ? [] : indented(`worker ${worker}`);
  const { host, cpu_name, device_name, python, torch } = attempt.environment;
  const machine = host == null ? "machine not recorded" : `machine ${host}`;
  const parts = [
    ...(cpu_name == null || cpu_name === device_name ? [] : [cpu_name]),
    `Python ${python}`,
    `torch ${torch}`,
    ...(worker === null ? [] : [`worker ${worker}`]),
  ];
  return indented(`${machine}, ${parts.join(", ")}`);
}

function resultLines(attempt: ShownAttempt): string[] {
  if (attempt.state === "completed")
    return [
      ...indented(`val (%): ${metricsText(attempt.metrics)}`),
      ...interruptionLines(attempt),
      ...attempt.notes.flatMap((note) => indented(`note: ${note}`)),
    ];
  if (attempt.state === "failed")
    return [
      ...indented(`${attempt.error.code}: ${attempt.error.message}`),
      ...indented(`log ${attempt.log_file}`),
      ...(attempt.traceback_file === null ? [] : indented(`traceback ${attempt.traceback_file}`)),
    ];
  return indented(`log ${attempt.log_file}`);
}

/** What makes an attempt differ from one without a kill and with enough memory. */
function interruptionLines({
  resumed_from,
  micro_batch_size,
  evaluation_batch_size,
}: Extract<ShownAttempt, { state: "completed" }>): string[] {
  const lines: string[] = [];
  if (resumed_from != null) {
    const { attempt, epoch, step } = resumed_from;
    const where = step === 0 ? `epoch ${epoch}` : `epoch ${epoch}, step ${step + 1}`;
    lines.push(`resumed from ${attempt === null ? "another attempt" : `attempt ${attempt}`}, in ${where}`);
  }
  if (micro_batch_size != null)
    lines.push(
      `out of memory: trained with micro-batches of at most ${counted(micro_batch_size, "expression")}`,
    );
  if (evaluation_batch_size != null)
    lines.push(
      `out of memory: evaluated in batches of at most ${counted(evaluation_batch_size, "expression")}`,
    );
  return lines.flatMap((line) => indented(line));
}

function metricsText(metrics: Metrics): string {
  const names = Object.keys(metricTitles) as MetricName[];
  return names
    .flatMap((name) => {
      const value = metrics[name];
      return value === null ? [] : [`${metricTitles[name]}\u00a0${points(value)}`];
    })
    .join(", ");
}

function codeText({ is_current, changed, sources_sha256 }: NonNullable<ShownAttempt["code"]>): string {
  if (is_current) return "code: the current one";
  if (changed === null)
    return `code: not the current one (${sources_sha256.slice(0, 16)}); its files are not recorded here`;
  return `code: not the current one; changed since: ${changed.join(", ")}`;
}
