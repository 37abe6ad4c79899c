import { formatBytes } from "../../base/format.ts";
import { CliprpnError } from "../../contract/errors.ts";
import { readAnswer } from "./answer.ts";
import type { Limits } from "./limits.ts";
import type { PartFile } from "./part-file.ts";
import type { SourceFile } from "./source-file.ts";

/** How one request to one mirror ended. */
export type Transfer =
  | { state: "complete" }
  | { state: "broke_off"; reason: string; wait_ms?: number | undefined }
  /** No connection came about. */
  | { state: "unreachable"; reason: string }
  /** Asking again would give the same. */
  | { state: "refused"; reason: string };

export interface TransferOptions {
  limits: Limits;
  signal: AbortSignal;
  /** Called when the size is told that nobody knew before. @throws when there is no room for it. */
  onSize: (total: number) => Promise<void>;
  onBytes: (total: number | undefined) => void;
  /** Called when bytes that were there are thrown away. */
  onStartOver: (reason: string) => void;
}

/**
 * Asks a mirror for what is missing of a part, and appends what it sends. The part stays whatever happens.
 *
 * @throws CliprpnError no_space, bad_input of the disk; the signal's reason.
 */
export async function transfer(
  url: string,
  file: SourceFile,
  part: PartFile,
  options: TransferOptions,
): Promise<Transfer> {
  const { limits, signal } = options;
  const stop = new AbortController();
  const stalled = setTimeout(() => stop.abort(), limits.stall_ms);
  let sends = false;
  try {
    const headers = { "accept-encoding": "identity", "user-agent": "cliprpn", ...part.rangeHeaders(url) };
    const from = "range" in headers ? part.size : 0;
    const response = await fetch(url, { headers, signal: AbortSignal.any([signal, stop.signal]) });
    const answer = readAnswer(response.status, response.headers, { ...file, from }, Date.now());
    if (answer.state === "nothing_left") return { state: "complete" };
    if (answer.state === "busy") return { ...answer, state: "broke_off" };
    if (answer.state === "refused") return answer;
    if (answer.state === "start_over") {
      options.onStartOver(answer.reason);
      await part.startOver();
      return { state: "broke_off", reason: answer.reason, wait_ms: 0 };
    }
    if (file.bytes === null && answer.total !== undefined) await options.onSize(answer.total - answer.from);
    if (answer.from === 0 && part.size > 0) options.onStartOver("it gives no parts, or the file has changed");
    await part.begin(answer.from, url, response.headers);
    sends = true;
    return await receive(response, part, answer.total, () => {
      stalled.refresh();
      options.onBytes(answer.total);
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CliprpnError) throw error;
    if (stop.signal.aborted)
      return { state: "broke_off", reason: `sent nothing for ${limits.stall_ms / 1000} s` };
    return networkFailure(error, sends);
  } finally {
    clearTimeout(stalled);
    stop.abort(); // Lets go of an answer that was not read.
  }
}

async function receive(
  response: Response,
  part: PartFile,
  total: number | undefined,
  onChunk: () => void,
): Promise<Transfer> {
  for await (const chunk of response.body ?? []) {
    if (total !== undefined && part.size + chunk.length > total) {
      await part.startOver();
      return { state: "refused", reason: `sent more than the file's ${total} bytes (${formatBytes(total)})` };
    }
    await part.append(chunk);
    onChunk();
  }
  if (total === undefined || part.size === total) return { state: "complete" };
  return { state: "broke_off", reason: `ended after ${formatBytes(part.size)} of ${formatBytes(total)}` };
}

/** What went wrong below HTTP. */
function networkFailure(error: unknown, sends: boolean): Transfer {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const message = cause instanceof Error ? cause.message : String(cause);
  const reason = meanings[code] ?? [message, code].filter((text) => text !== "").join(", ");
  if (sends) return { state: "broke_off", reason: `broke off (${reason})` };
  return { state: passing.includes(code) ? "broke_off" : "unreachable", reason };
}

const meanings: Record<string, string> = {
  ENOTFOUND: "its name is not known (ENOTFOUND)",
  EAI_AGAIN: "its name cannot be looked up: no network? (EAI_AGAIN)",
  ECONNREFUSED: "refused the connection (ECONNREFUSED)",
  ECONNRESET: "cut the connection (ECONNRESET)",
  ENETUNREACH: "no network leads there (ENETUNREACH)",
  UND_ERR_CONNECT_TIMEOUT: "did not take the connection in time",
};

/** A connection was there. */
const passing = ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"];
