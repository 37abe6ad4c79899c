import type { Arguments } from "../commands/command.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { TrialOutcome, TrialSpec } from "../contract/generated/types.ts";
import { trialName } from "../report/report-input.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** Trials without an outcome that counts; says which finished ones do not, and why, and puts their outcomes aside. */
export function trialsToRun(store: SweepStore, args: Arguments, terminal: Terminal): TrialSpec[] {
  const stale: { spec: TrialSpec; by: string }[] = [];
  const waiting = store.plan.trials.filter((spec) => {
    const outcome = readOutcome(store, spec, terminal);
    if (outcome === undefined) return true;
    if (outcome.sources_sha256 !== spec.sources_sha256) {
      const by = outcome.sources_sha256.slice(0, 8);
      stale.push({ spec, by });
      if (!args.flag("accept-stale")) {
        store.setAside(spec, by);
        return true;
      }
    }
    if (outcome.state !== "failed") return false;
    if (!args.flag("retry-failed")) {
      terminal.info(
        `${trialName(spec)}: failed before (${outcome.error.code}); --retry-failed runs it again`,
      );
      return false;
    }
    store.setAside(spec, `failed-${Date.now()}`);
    return true;
  });
  if (stale.length > 0) terminal.warn(aboutStale(stale, args.flag("accept-stale")));
  return waiting;
}

function readOutcome(store: SweepStore, spec: TrialSpec, terminal: Terminal): TrialOutcome | undefined {
  try {
    return store.outcome(spec.trial_id);
  } catch (error) {
    if (!(error instanceof CliprpnError)) throw error;
    terminal.warn(`${trialName(spec)}: its outcome cannot be read, so it is run again (${error.message})`);
    store.setAside(spec, "unreadable");
    return undefined;
  }
}

function aboutStale(stale: { spec: TrialSpec; by: string }[], kept: boolean): string {
  const [first] = stale;
  const others = [...new Set(stale.map(({ by }) => by))].join(", ");
  const what = kept
    ? "kept, as --accept-stale says"
    : "run again (--accept-stale would keep them; the old outcomes stay beside the new)";
  return `${stale.length} finished ${stale.length === 1 ? "trial is" : "trials are"} stale: made by other Python sources or another lock (${others}, today's are ${first?.spec.sources_sha256.slice(0, 8)}); ${what}`;
}
