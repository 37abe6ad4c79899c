import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { packageRoot } from "../../base/package-root.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { PreparedImage } from "../../contract/generated/types.ts";
import type { DecodeJob, FromDecoder } from "./decoder-protocol.ts";

/** A job that is waited for. */
export interface Pending {
  job: DecodeJob;
  deaths: number;
  resolve: (picture: PreparedImage) => void;
  reject: (error: CliprpnError) => void;
}

export interface DecoderOptions {
  /** For one image. */
  timeoutMs: number;
  /** A place is free. */
  onFree: () => void;
  /** Called once, after the process has ended. */
  onEnd: (death: Death) => void;
}

export interface Death {
  /** What was not answered; it died of the first. */
  left: Pending[];
  reason: string;
  timedOut: boolean;
  /** It never came up. */
  atStart: boolean;
}

/** The next image is read while one is decoded. */
const places = 2;

/** A process that decodes images in turn. A native library that crashes or hangs on a hostile one takes only it along. */
export class Decoder {
  readonly #process: ChildProcess;
  readonly #options: DecoderOptions;
  readonly #pending: Pending[] = [];
  #timer: NodeJS.Timeout | undefined;
  #timedOut = false;
  #isReady = false;

  constructor(options: DecoderOptions) {
    this.#options = options;
    const [entry, execArgv] = decoderEntry();
    this.#process = fork(entry, { execArgv, stdio: ["ignore", "ignore", "ignore", "ipc"] });
    this.#process.on("message", (message: FromDecoder) => this.#receive(message));
    let ended = false;
    const onEnd = (reason: string): void => {
      if (ended) return;
      ended = true;
      clearTimeout(this.#timer);
      options.onEnd({ left: this.#pending, reason, timedOut: this.#timedOut, atStart: !this.#isReady });
    };
    this.#process.on("error", (error) => {
      if (this.#process.pid === undefined) onEnd(error.message);
    });
    this.#process.on("exit", (code, signal) => onEnd(signal ?? `exit code ${code}`));
  }

  get freePlaces(): number {
    return this.#isReady ? places - this.#pending.length : 0;
  }

  take(pending: Pending): void {
    this.#pending.push(pending);
    if (this.#pending.length === 1) this.#startTimer();
    this.#process.send(pending.job, () => undefined); // One that cannot be reached has ended, which is heard.
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  #receive(message: FromDecoder): void {
    if (message.type === "ready") this.#isReady = true;
    else this.#answered(message);
    this.#options.onFree();
  }

  #answered(message: Exclude<FromDecoder, { type: "ready" }>): void {
    const done = this.#pending.shift();
    this.#timedOut = false; // Its answer was under way when its time was up.
    clearTimeout(this.#timer);
    if (this.#pending.length > 0) this.#startTimer();
    if (message.type === "done") done?.resolve(message.picture);
    else done?.reject(notWritten(message, done.job.file));
  }

  #startTimer(): void {
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.kill();
    }, this.#options.timeoutMs);
  }
}

function notWritten({ code, message }: { code: string; message: string }, file: string): CliprpnError {
  return code === "ENOSPC" || code === "EDQUOT"
    ? new CliprpnError("no_space", `${file}: the disk is full; make room and run the same command again`)
    : new CliprpnError("internal", `${file} could not be written: ${message}`);
}

/** From the sources through tsx, otherwise the bundle's own entry. */
function decoderEntry(): [entry: string, execArgv: string[]] {
  if (!import.meta.url.endsWith(".ts")) return [join(packageRoot, "dist/decoder-main.js"), []];
  return [
    fileURLToPath(new URL("./decoder-main.ts", import.meta.url)),
    ["--import", import.meta.resolve("tsx")],
  ];
}
