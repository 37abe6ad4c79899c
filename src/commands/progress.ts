import type { TrialEvent, TrialOutcome, TrialSpec } from "../contract/generated/types.ts";
import type { TrialWatcher } from "../engine/engine.ts";
import { duration, percent } from "../report/format.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** Shows a sweep's progress: a line that stays for every finished trial, live lines for running ones, with an ETA. */
export class SweepProgress implements TrialWatcher {
  readonly #terminal: Terminal;
  readonly #total: number;
  readonly #numSlots: number;
  readonly #json: boolean;
  readonly #running = new Map<number, { spec: TrialSpec; doing: string; share: number; since: number }>();
  readonly #durations = new Map<string, number[]>();
  #waiting: TrialSpec[];
  #done: number;

  constructor(
    terminal: Terminal,
    options: { waiting: TrialSpec[]; total: number; numSlots: number; json: boolean },
  ) {
    this.#terminal = terminal;
    this.#waiting = [...options.waiting];
    this.#total = options.total;
    this.#numSlots = options.numSlots;
    this.#json = options.json;
    this.#done = options.total - options.waiting.length;
  }

  started(spec: TrialSpec, slot: number): void {
    this.#waiting = this.#waiting.filter(({ trial_id }) => trial_id !== spec.trial_id);
    this.#running.set(slot, { spec, doing: "starting", share: 0, since: Date.now() });
    this.#print({ trial_id: spec.trial_id, state: "running", label: spec.label, seed: spec.seed });
    this.#show();
  }

  event(_spec: TrialSpec, slot: number, event: TrialEvent): void {
    const running = this.#running.get(slot);
    if (running === undefined) return;
    if (event.type === "warning") this.#terminal.warn(event.message);
    if (event.type === "epoch") {
      const { epoch, num_epochs, val_acc_at_50 } = event.epoch;
      running.doing = `epoch ${epoch}/${num_epochs}, Acc@0.5 on val ${percent(val_acc_at_50)}`;
    }
    if (event.type === "progress") {
      running.share = event.phase === "training" ? event.done / Math.max(1, event.total) : running.share;
      if (event.phase !== "training" || running.doing === "starting" || !running.doing.startsWith("epoch")) {
        running.doing = `${phases[event.phase]} ${Math.round((100 * event.done) / Math.max(1, event.total))} %`;
      }
    }
    this.#show();
  }

  finished(spec: TrialSpec, slot: number, outcome: TrialOutcome | undefined, duration_ms: number): void {
    this.#running.delete(slot);
    if (outcome !== undefined) this.#done += 1;
    if (outcome?.state === "completed") {
      const own = this.#durations.get(spec.label) ?? [];
      this.#durations.set(spec.label, [...own, duration_ms]);
    }
    const name = `${spec.label}, seed ${spec.seed}`;
    const count = `[${this.#done}/${this.#total}]`;
    if (outcome === undefined) this.#terminal.info(`${count} ${name}: interrupted`);
    else if (outcome.state === "failed")
      this.#terminal.info(`${count} ${name}: FAILED  ${outcome.error.code}: ${outcome.error.message}`);
    else
      this.#terminal.info(
        `${count} ${name}: Acc@0.5 on val ${percent(outcome.metrics.acc_at_50)}  (${duration(duration_ms)})`,
      );
    this.#print({
      trial_id: spec.trial_id,
      state: outcome?.state ?? "interrupted",
      label: spec.label,
      seed: spec.seed,
      duration_ms,
    });
    this.#show();
  }

  #show(): void {
    const running = [...this.#running.values()].map(
      ({ spec, doing }) => `  ${spec.label}, seed ${spec.seed}: ${doing}`,
    );
    if (running.length > 0)
      this.#terminal.live([`${this.#done} of ${this.#total} trials done${this.#eta()}`, ...running]);
  }

  /** By each setting's own mean where it is known: settings differ widely in cost. */
  #eta(): string {
    const known = [...this.#durations.values()].flat();
    if (known.length === 0) return "";
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const expected = ({ label }: TrialSpec): number => mean(this.#durations.get(label) ?? known);
    const waiting = this.#waiting.reduce((sum, spec) => sum + expected(spec), 0);
    const left = [...this.#running.values()].reduce(
      (sum, { spec, since }) => sum + Math.max(0, expected(spec) - (Date.now() - since)),
      waiting,
    );
    return `, about ${duration(left / this.#numSlots)} left`;
  }

  #print(value: object): void {
    if (this.#json) this.#terminal.result(JSON.stringify(value));
  }
}

const phases = {
  index: "reading the data set",
  image_features: "CLIP's features of pictures",
  text_features: "CLIP's features of sentences",
  training: "training",
  evaluation: "evaluating",
} as const;
