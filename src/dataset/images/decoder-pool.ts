import { availableParallelism } from "node:os";
import { CliprpnError } from "../../contract/errors.ts";
import type { PreparedImage } from "../../contract/generated/types.ts";
import { nowhere } from "./decode.ts";
import { type Death, Decoder, type Pending } from "./decoder.ts";
import type { DecodeJob } from "./decoder-protocol.ts";
import { factsOf } from "./read-image.ts";

/** Decoder processes that share a queue. */
export class DecoderPool {
  readonly #numDecoders: number;
  readonly #timeoutMs: number;
  readonly #queue: Pending[] = [];
  readonly #decoders = new Set<Decoder>();
  #closed: CliprpnError | undefined;

  /**
   * @param numDecoders processes, at most; they start when they are needed.
   * @param timeoutMs for one image.
   */
  constructor(numDecoders: number = availableParallelism(), timeoutMs = 30_000) {
    this.#numDecoders = numDecoders;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Decodes an image into its row, in turn. An image that a decoder dies of, or that takes too long, has a problem.
   *
   * @throws CliprpnError no_space, environment_broken; or what the pool was closed with.
   */
  decode(job: DecodeJob): Promise<PreparedImage> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, deaths: 0, resolve, reject });
      this.#deal();
    });
  }

  /** Ends all processes, and what waits for them with this error. */
  close(reason: CliprpnError): void {
    this.#closed ??= reason;
    for (const decoder of this.#decoders) decoder.kill();
    this.#deal();
  }

  #deal(): void {
    if (this.#closed !== undefined) {
      for (const { reject } of this.#queue.splice(0)) reject(this.#closed);
      return;
    }
    while (this.#decoders.size < Math.min(this.#numDecoders, this.#queue.length)) this.#start();
    for (let to = this.#freest(); to !== undefined && to.freePlaces > 0; to = this.#freest()) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      to.take(next);
    }
  }

  #freest(): Decoder | undefined {
    return [...this.#decoders].sort((a, b) => b.freePlaces - a.freePlaces)[0];
  }

  #start(): void {
    const decoder = new Decoder({
      timeoutMs: this.#timeoutMs,
      onFree: () => this.#deal(),
      onEnd: (death) => {
        this.#decoders.delete(decoder);
        this.#bury(death);
        this.#deal();
      },
    });
    this.#decoders.add(decoder);
  }

  #bury({ left: [first, ...others], reason, timedOut, atStart }: Death): void {
    if (atStart)
      this.close(
        new CliprpnError(
          "environment_broken",
          `an image decoder did not come up (${reason}); \`cliprpn doctor\` says what is missing`,
        ),
      );
    this.#queue.unshift(...others);
    if (first === undefined) return;
    // Memory may have been short, or someone ended the process: only a second death is the image's.
    if (this.#closed !== undefined || !(timedOut || first.deaths > 0)) {
      first.deaths += 1;
      this.#queue.unshift(first);
    } else first.resolve(killer(first.job, timedOut ? undefined : reason, this.#timeoutMs));
  }
}

function killer(
  { images_dir, wanted }: DecodeJob,
  death: string | undefined,
  timeoutMs: number,
): PreparedImage {
  const problem =
    death === undefined
      ? `expected an image that decodes in ${timeoutMs / 1000} s, found one that does not`
      : `expected an image, found one that the decoder died of (${death})`;
  const { file_name } = wanted;
  return { file_name, ...factsOf(images_dir, file_name), ...nowhere, problem };
}
