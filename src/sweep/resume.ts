import { CliprpnError } from "../contract/errors.ts";
import type { TrialOutcome, TrialSpec } from "../contract/generated/types.ts";
import { trialName } from "../report/report-input.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { RunContext } from "./run-context.ts";

/**
 * The trials that have to run. A trial that finished keeps its outcome, except a stale one (without `acceptStale`) and a failed
 * one with `retryFailed`: those outcomes are renamed. Tells the user which outcomes do not count, and why.
 */
export function trialsToRun(
  store: SweepStore,
  { acceptStale, retryFailed, terminal }: Pick<RunContext, "acceptStale" | "retryFailed" | "terminal">,
): TrialSpec[] {
  const stale: StaleTrial[] = [];
  const waiting = store.plan.trials.filter((spec) => {
    const outcome = readOutcome(store, spec, terminal);
    if (outcome === undefined) return true;
    if (outcome.sources_sha256 !== spec.sources_sha256) {
      const made_by = outcome.sources_sha256.slice(0, 8);
      stale.push({ spec, made_by });
      if (!acceptStale) {
        store.setAside(spec, made_by);
        return true;
      }
    }
    if (outcome.state !== "failed") return false;
    if (!retryFailed) {
      terminal.info(
        `${trialName(spec)}: failed in an earlier run (${outcome.error.code}); use --retry-failed to run it again`,
      );
      return false;
    }
    store.setAside(spec, `failed-${Date.now()}`);
    return true;
  });
  if (stale.length > 0) terminal.warn(staleWarning(stale, acceptStale));
  return waiting;
}

interface StaleTrial {
  spec: TrialSpec;
  /** Start of the hash of the sources that made its outcome. */
  made_by: string;
}

function readOutcome(store: SweepStore, spec: TrialSpec, terminal: Terminal): TrialOutcome | undefined {
  try {
    return store.outcome(spec.trial_id);
  } catch (error) {
    if (!(error instanceof CliprpnError)) throw error;
    terminal.warn(`${trialName(spec)}: running again, because its outcome cannot be read (${error.message})`);
    store.setAside(spec, "unreadable");
    return undefined;
  }
}

function staleWarning(stale: StaleTrial[], kept: boolean): string {
  const [first] = stale;
  const hashes = [...new Set(stale.map(({ made_by }) => made_by))].join(", ");
  const action = kept
    ? "kept (--accept-stale)"
    : "running again, which replaces their models and predictions (use --accept-stale to keep them)";
  return `${stale.length} finished ${stale.length === 1 ? "trial is" : "trials are"} stale: they ran with different Python sources or packages (${hashes}, current ${first?.spec.sources_sha256.slice(0, 8)}); ${action}`;
}
