import { fetch, type Response } from "undici";
import { formatBytes } from "../../base/format.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { PartFile } from "./part-file.ts";
import type { Network } from "./proxy.ts";
import type { RemoteFile } from "./sources.ts";

/** The result of one request to one mirror. */
export type Transfer =
  | { state: "complete" }
  | { state: "broke_off"; reason: string; wait_ms?: number | undefined }
  /** No connection was made. */
  | { state: "unreachable"; reason: string }
  /** A retry would have the same result. */
  | { state: "refused"; reason: string };

export interface TransferOptions {
  /** A mirror that sends nothing for this long is treated as hanging. */
  stall_ms: number;
  signal: AbortSignal;
  network: Network;
  /** Called when the server reports a size that the sources do not give. @throws when the disk has no space for it. */
  onSize: (total: number) => Promise<void>;
  onBytes: (total: number | undefined) => void;
  /** Called when downloaded bytes are discarded. */
  onStartOver: (reason: string) => void;
}

/**
 * Requests the missing rest of a part file from a mirror and appends what the mirror sends. The part file is kept on errors.
 *
 * @throws CliprpnError no_space or bad_input for disk errors; the signal's reason.
 */
export async function transfer(
  url: string,
  file: RemoteFile,
  part: PartFile,
  options: TransferOptions,
): Promise<Transfer> {
  const { stall_ms, signal, network } = options;
  const stop = new AbortController();
  const stalled = setTimeout(() => stop.abort(), stall_ms);
  let sends = false;
  try {
    const headers = { "accept-encoding": "identity", "user-agent": "cliprpn", ...part.rangeHeaders(url) };
    const from = "range" in headers ? part.size : 0;
    const response = await fetch(url, {
      headers,
      signal: AbortSignal.any([signal, stop.signal]),
      dispatcher: network.dispatcher,
    });
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
    if (answer.from === 0 && part.size > 0)
      options.onStartOver("the server does not support ranges, or the file has changed");
    await part.begin(answer.from, url, response.headers);
    sends = true;
    return await receive(response, part, answer.total, () => {
      stalled.refresh();
      options.onBytes(answer.total);
    });
  } catch (error) {
    if (error instanceof CliprpnError) throw error; // A full disk, also after an abort.
    signal.throwIfAborted();
    if (stop.signal.aborted) return { state: "broke_off", reason: `sent no data for ${stall_ms / 1000} s` };
    return networkFailure(error, sends, network.settingOf(url));
  } finally {
    clearTimeout(stalled);
    stop.abort(); // Releases the connection of a response that was not read.
  }
}

/** The meaning of a response's status and headers for the file. */
export type Answer =
  | { state: "sends"; from: number; total: number | undefined }
  | { state: "nothing_left" }
  | { state: "start_over"; reason: string }
  | { state: "busy"; reason: string; wait_ms: number | undefined }
  | { state: "refused"; reason: string };

interface RangeRequest {
  name: string;
  /** The first byte requested; 0 for the whole file. */
  from: number;
  /** The expected size of the file, if known. */
  bytes: number | null;
}

/** Interprets the status and headers of a response; pure. */
export function readAnswer(
  status: number,
  headers: Pick<Headers, "get">,
  request: RangeRequest,
  now_ms: number,
): Answer {
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return { state: "busy", reason: httpReason(status), wait_ms: retryAfter(headers, now_ms) };
  if (status === 416 && request.from > 0) return readUnsatisfiable(headers, request);
  if (status !== 200 && status !== 206) return { state: "refused", reason: httpReason(status) };
  if (/^text\/html\b/i.test(headers.get("content-type") ?? "") && !/\.html?$/i.test(request.name))
    return {
      state: "refused",
      reason: "sent a web page instead of the file (a login page, a captive portal or an error page)",
    };
  return status === 206 ? readPartial(headers, request) : readComplete(headers, request);
}

function readComplete(headers: Pick<Headers, "get">, { bytes }: RangeRequest): Answer {
  const length = headers.get("content-length");
  // With a content encoding, the length is that of the encoded data, not of the file.
  const total = length === null || isEncoded(headers) ? undefined : Number(length);
  return sizeMismatch(total, bytes) ?? { state: "sends", from: 0, total: total ?? bytes ?? undefined };
}

function readPartial(headers: Pick<Headers, "get">, { from, bytes }: RangeRequest): Answer {
  const range = headers.get("content-range") ?? "";
  const [, start, , size] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(range) ?? [];
  if (start === undefined || Number(start) !== from || isEncoded(headers))
    return { state: "start_over", reason: `expected the bytes from ${from}, found "${range}"` };
  const total = size === undefined || size === "*" ? undefined : Number(size);
  return sizeMismatch(total, bytes) ?? { state: "sends", from, total: total ?? bytes ?? undefined };
}

/** 416: the server has no bytes after `from`. Either the file is complete, or the part is from another version of it. */
function readUnsatisfiable(headers: Pick<Headers, "get">, { from }: RangeRequest): Answer {
  const [, total] = /^bytes \*\/(\d+)$/i.exec(headers.get("content-range") ?? "") ?? [];
  if (Number(total) === from) return { state: "nothing_left" };
  return { state: "start_over", reason: `the server's file has no byte ${from}: it has changed` };
}

function sizeMismatch(total: number | undefined, bytes: number | null): Answer | undefined {
  if (total === undefined || bytes === null || total === bytes) return undefined;
  return {
    state: "refused",
    reason: `has a file of ${total} bytes (${formatBytes(total)}), expected ${bytes} (${formatBytes(bytes)})`,
  };
}

function isEncoded(headers: Pick<Headers, "get">): boolean {
  return !["", "identity"].includes(headers.get("content-encoding") ?? "");
}

/** The Retry-After header, which is a number of seconds or a date. */
function retryAfter(headers: Pick<Headers, "get">, now_ms: number): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const wait_ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now_ms;
  return Number.isNaN(wait_ms) ? undefined : Math.max(0, wait_ms);
}

function httpReason(status: number): string {
  const meanings: Record<number, string> = {
    401: "login required",
    403: "access denied",
    404: "not found",
    410: "no longer available",
    429: "too many requests",
    503: "service unavailable",
  };
  const meaning = meanings[status];
  return `answered HTTP ${status}${meaning === undefined ? "" : ` (${meaning})`}`;
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

/** Describes a failure below HTTP. @param proxy the setting of the proxy, if there is one. */
function networkFailure(error: unknown, sends: boolean, proxy: string | undefined): Transfer {
  const cause = deepestCause(error);
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const message = cause instanceof Error ? cause.message : String(cause);
  const meaning =
    proxyRefusal(message) ?? codeMeanings[code] ?? [message, code].filter((text) => text !== "").join(", ");
  const reason = proxy === undefined ? meaning : `${meaning}; with ${proxy}`;
  if (sends) return { state: "broke_off", reason: `connection lost (${reason})` };
  return { state: afterConnecting.includes(code) ? "broke_off" : "unreachable", reason };
}

/** fetch's own error says only "fetch failed", and a proxy's refusal is the cause of the cause. */
function deepestCause(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? deepestCause(error.cause) : error;
}

/** The answer of a proxy that opens no tunnel to the server. */
function proxyRefusal(message: string): string | undefined {
  const status = /^Proxy response \((\d+)\)/.exec(message)?.[1];
  if (status === undefined) return undefined;
  return status === "407"
    ? "the proxy answered HTTP 407: it expects a user and a password, as in http://USER:PASSWORD@HOST:PORT"
    : `the proxy answered HTTP ${status}`;
}

const untrusted =
  "its certificate is not trusted; if your network has certificates of its own, set NODE_EXTRA_CA_CERTS to their file";

const codeMeanings: Record<string, string> = {
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  ENOTFOUND: "unknown host name (ENOTFOUND)",
  EAI_AGAIN: "the host name could not be looked up; is there a network connection? (EAI_AGAIN)",
  ECONNREFUSED: "refused the connection (ECONNREFUSED)",
  ECONNRESET: "reset the connection (ECONNRESET)",
  ENETUNREACH: "network unreachable (ENETUNREACH)",
  UND_ERR_CONNECT_TIMEOUT: "connection timed out",
};

/** Codes of errors after a connection was made: worth a retry. */
const afterConnecting = ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"];
