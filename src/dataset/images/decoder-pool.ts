import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { diskFullError } from "../../base/disk-space.ts";
import { OutputTail } from "../../base/output-tail.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { PreparedImage, WantedImage } from "../../contract/generated/types.ts";
import { packageRoot } from "../../package-root.ts";
import { type DecodeOptions, noFrame } from "./decode.ts";
import { statImage } from "./read-image.ts";

/** Decode one image into its row of a shard. */
export interface DecodeJob {
  /** Real path of the image folder. */
  images_dir: string;
  wanted: WantedImage;
  options: DecodeOptions;
  /** The shard's file and the byte offset of the row. */
  file: string;
  offset: number;
}

/** A message of a decoder process; results come in the order of the jobs. */
export type DecoderMessage =
  | { type: "ready" }
  | { type: "done"; image: PreparedImage }
  | { type: "not_written"; code: string; message: string };

interface QueuedJob {
  job: DecodeJob;
  /** Decoders that exited while decoding it. */
  num_crashes: number;
  resolve: (image: PreparedImage) => void;
  reject: (error: CliprpnError) => void;
}

/** Decoder processes that share a queue. */
export class DecoderPool {
  readonly #numDecoders: number;
  readonly #timeoutMs: number;
  readonly #startTimeoutMs: number;
  readonly #queue: QueuedJob[] = [];
  readonly #decoders = new Set<Decoder>();
  #closed: CliprpnError | undefined;

  /**
   * @param numDecoders the most processes; they start when needed.
   * @param timeoutMs per image.
   * @param startTimeoutMs for the start of a process; loading sharp from a network disk can take a minute.
   */
  constructor(numDecoders: number = availableParallelism(), timeoutMs = 30_000, startTimeoutMs = 120_000) {
    this.#numDecoders = numDecoders;
    this.#timeoutMs = timeoutMs;
    this.#startTimeoutMs = startTimeoutMs;
  }

  /**
   * Queues an image for decoding into its row. An image that crashes two decoders or takes too long gets a
   * `problem`.
   *
   * @throws CliprpnError no_space, environment_broken, or the reason the pool was closed with.
   */
  decode(job: DecodeJob): Promise<PreparedImage> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, num_crashes: 0, resolve, reject });
      this.#dispatch();
    });
  }

  /** Kills all decoders and rejects every job that is not done with this error. */
  close(reason: CliprpnError): void {
    this.#closed ??= reason;
    for (const decoder of this.#decoders) decoder.kill();
    this.#dispatch();
  }

  #dispatch(): void {
    if (this.#closed !== undefined) {
      for (const { reject } of this.#queue.splice(0)) reject(this.#closed);
      return;
    }
    while (this.#decoders.size < Math.min(this.#numDecoders, this.#queue.length)) this.#startDecoder();
    for (;;) {
      const decoder = this.#leastBusy();
      if (decoder === undefined || decoder.capacity === 0) return;
      const next = this.#queue.shift();
      if (next === undefined) return;
      decoder.send(next);
    }
  }

  #leastBusy(): Decoder | undefined {
    return [...this.#decoders].sort((a, b) => b.capacity - a.capacity)[0];
  }

  #startDecoder(): void {
    const decoder = new Decoder({
      timeoutMs: this.#timeoutMs,
      startTimeoutMs: this.#startTimeoutMs,
      onCapacity: () => this.#dispatch(),
      onExit: (exit) => {
        this.#decoders.delete(decoder);
        this.#onDecoderExit(exit);
        this.#dispatch();
      },
    });
    this.#decoders.add(decoder);
  }

  #onDecoderExit({ unanswered: [first, ...others], reason, timedOut, wasReady }: DecoderExit): void {
    if (!wasReady)
      this.close(
        new CliprpnError(
          "environment_broken",
          `an image decoder did not start (${reason}); run \`cliprpn doctor\` to see what is missing`,
        ),
      );
    this.#queue.unshift(...others);
    if (first === undefined) return;
    // The first crash may be a lack of memory or a kill from outside; the second one is the image's fault.
    if (this.#closed !== undefined || !(timedOut || first.num_crashes > 0)) {
      first.num_crashes += 1;
      this.#queue.unshift(first);
    } else first.resolve(undecodable(first.job, timedOut ? undefined : reason, this.#timeoutMs));
  }
}

function undecodable(
  { images_dir, wanted: { file_name } }: DecodeJob,
  crash: string | undefined,
  timeoutMs: number,
): PreparedImage {
  const problem =
    crash === undefined
      ? `expected an image that decodes within ${timeoutMs / 1000} s, found one that takes longer`
      : `expected an image, found a file that crashes the decoder (${crash})`;
  return { file_name, ...statImage(images_dir, file_name), ...noFrame, problem };
}

interface DecoderOptions {
  /** Per image. */
  timeoutMs: number;
  /** Until the process is ready for the first image. */
  startTimeoutMs: number;
  /** Called when the decoder can take another job. */
  onCapacity: () => void;
  /** Called once, after the process has exited. */
  onExit: (exit: DecoderExit) => void;
}

interface DecoderExit {
  /** Jobs without an answer; the process was decoding the first. */
  unanswered: QueuedJob[];
  /** Exit code or signal, and the end of its error output. */
  reason: string;
  timedOut: boolean;
  /** False if the process exited while starting up. */
  wasReady: boolean;
}

/** Jobs sent to a decoder at once: it reads the next file while it decodes one. */
const max_in_flight = 2;

/**
 * A process that decodes images in order. A native library that crashes or hangs on a hostile file takes down
 * only this process.
 */
class Decoder {
  readonly #process: ChildProcess;
  readonly #options: DecoderOptions;
  readonly #inFlight: QueuedJob[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #startTimer: NodeJS.Timeout;
  #timedOut = false;
  #isReady = false;

  constructor(options: DecoderOptions) {
    this.#options = options;
    const [entry, execArgv] = decoderEntry();
    this.#process = fork(entry, { execArgv, stdio: ["ignore", "ignore", "pipe", "ipc"] });
    const errors = new OutputTail();
    this.#process.stderr?.on("data", (data: Buffer) => errors.write(data));
    this.#process.on("message", (message: DecoderMessage) => this.#receive(message));
    let exited = false;
    const onExit = (reason: string): void => {
      if (exited) return;
      exited = true;
      clearTimeout(this.#timer);
      clearTimeout(this.#startTimer);
      options.onExit({
        unanswered: this.#inFlight,
        reason: errors.after(reason),
        timedOut: this.#timedOut,
        wasReady: this.#isReady,
      });
    };
    this.#process.on("error", (error) => {
      if (this.#process.pid === undefined) onExit(error.message);
    });
    let startTimedOut = false;
    // Not `exit`: its last output may still be in the pipe.
    this.#process.on("close", (code, signal) =>
      onExit(
        startTimedOut
          ? `no answer within ${options.startTimeoutMs / 1000} s`
          : (signal ?? `exit code ${code}`),
      ),
    );
    this.#startTimer = setTimeout(() => {
      startTimedOut = true;
      this.kill();
    }, options.startTimeoutMs);
  }

  /** The number of additional jobs it accepts now. */
  get capacity(): number {
    return this.#isReady ? max_in_flight - this.#inFlight.length : 0;
  }

  send(queued: QueuedJob): void {
    this.#inFlight.push(queued);
    if (this.#inFlight.length === 1) this.#limitImage();
    this.#process.send(queued.job, () => undefined); // If it fails, the process has exited and `onExit` follows.
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  #receive(message: DecoderMessage): void {
    if (message.type === "ready") {
      this.#isReady = true;
      clearTimeout(this.#startTimer);
    } else this.#settle(message);
    this.#options.onCapacity();
  }

  #settle(message: Exclude<DecoderMessage, { type: "ready" }>): void {
    const queued = this.#inFlight.shift();
    this.#timedOut = false; // The answer was on its way when the time ran out.
    clearTimeout(this.#timer);
    if (this.#inFlight.length > 0) this.#limitImage();
    if (message.type === "done") queued?.resolve(message.image);
    else queued?.reject(writeError(message, queued.job.file));
  }

  #limitImage(): void {
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.kill();
    }, this.#options.timeoutMs);
  }
}

function writeError({ code, message }: { code: string; message: string }, file: string): CliprpnError {
  const cause = Object.assign(new Error(message), { code });
  return (
    diskFullError(file, cause) ??
    new CliprpnError("internal", `${file}: could not be written: ${message}`, { cause })
  );
}

/** Through tsx when run from the sources, otherwise the bundled entry. */
function decoderEntry(): [entry: string, execArgv: string[]] {
  if (!import.meta.url.endsWith(".ts")) return [join(packageRoot, "dist/decoder-main.js"), []];
  return [
    fileURLToPath(new URL("./decoder-main.ts", import.meta.url)),
    ["--import", import.meta.resolve("tsx")],
  ];
}
