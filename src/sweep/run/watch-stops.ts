import { CliprpnError } from "../../contract/errors.ts";
import { StopRequests } from "../../store/stop-requests.ts";

/** Follows `cliprpn stop` while a sweep runs. */
export class StopWatch {
  readonly #requests: StopRequests;
  readonly #timer: NodeJS.Timeout;
  readonly #stopped = new AbortController();
  /** Ends one running trial; set while trials run. */
  onTrial: (trial_id: string, reason: string) => void = () => undefined;

  constructor(sweepFolder: string) {
    this.#requests = new StopRequests(sweepFolder);
    this.#requests.take(); // Those of an earlier run, which a kill has left.
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
    this.#timer.unref();
  }

  /** Aborted when the whole sweep is to stop. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const { trial_id, command } of this.#requests.take()) {
      if (trial_id !== null) this.onTrial(trial_id, `by \`${command}\``);
      else
        this.#stopped.abort(
          new CliprpnError("interrupted", `Stopped by \`${command}\`. Re-run the same command to resume.`),
        );
    }
  }
}

const lookEveryMs = 300;
