import { formatBytes } from "../../base/format.ts";

/** What was asked of a server. */
export interface Asked {
  name: string;
  /** The first byte asked for; 0 for the whole file. */
  from: number;
  /** The size that the file must have, where it is known. */
  bytes: number | null;
}

/** What its answer means for the file. */
export type Answer =
  | { state: "sends"; from: number; total: number | undefined }
  | { state: "nothing_left" }
  | { state: "start_over"; reason: string }
  | { state: "busy"; reason: string; wait_ms: number | undefined }
  | { state: "refused"; reason: string };

/** Reads an answer's head; pure. */
export function readAnswer(
  status: number,
  headers: Pick<Headers, "get">,
  asked: Asked,
  now_ms: number,
): Answer {
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return { state: "busy", reason: httpReason(status), wait_ms: retryAfter(headers, now_ms) };
  if (status === 416 && asked.from > 0) return readUnsatisfiable(headers, asked);
  if (status !== 200 && status !== 206) return { state: "refused", reason: httpReason(status) };
  if (/^text\/html\b/i.test(headers.get("content-type") ?? "") && !/\.html?$/i.test(asked.name))
    return {
      state: "refused",
      reason: "sent a web page instead of the file (a log-in, a network's portal or an error page)",
    };
  return status === 206 ? readPartial(headers, asked) : readWhole(headers, asked);
}

function readWhole(headers: Pick<Headers, "get">, { bytes }: Asked): Answer {
  const length = headers.get("content-length");
  // The length of what was compressed says nothing about the file.
  const total = length === null || isEncoded(headers) ? undefined : Number(length);
  return wrongSize(total, bytes) ?? { state: "sends", from: 0, total: total ?? bytes ?? undefined };
}

function readPartial(headers: Pick<Headers, "get">, { from, bytes }: Asked): Answer {
  const range = headers.get("content-range") ?? "";
  const [, start, , size] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(range) ?? [];
  if (start === undefined || Number(start) !== from || isEncoded(headers))
    return { state: "start_over", reason: `asked for the bytes from ${from}, it sent "${range}"` };
  const total = size === undefined || size === "*" ? undefined : Number(size);
  return wrongSize(total, bytes) ?? { state: "sends", from, total: total ?? bytes ?? undefined };
}

/** Nothing comes after the bytes that are there: all of them are, or they are of another file. */
function readUnsatisfiable(headers: Pick<Headers, "get">, { from }: Asked): Answer {
  const [, total] = /^bytes \*\/(\d+)$/i.exec(headers.get("content-range") ?? "") ?? [];
  if (Number(total) === from) return { state: "nothing_left" };
  return { state: "start_over", reason: `it has no byte ${from}: the file is another one by now` };
}

function wrongSize(total: number | undefined, bytes: number | null): Answer | undefined {
  if (total === undefined || bytes === null || total === bytes) return undefined;
  return {
    state: "refused",
    reason: `has a file of ${total} bytes (${formatBytes(total)}), expected ${bytes} (${formatBytes(bytes)})`,
  };
}

function isEncoded(headers: Pick<Headers, "get">): boolean {
  return !["", "identity"].includes(headers.get("content-encoding") ?? "");
}

/** Seconds, or a date. */
function retryAfter(headers: Pick<Headers, "get">, now_ms: number): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const wait_ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now_ms;
  return Number.isNaN(wait_ms) ? undefined : Math.max(0, wait_ms);
}

function httpReason(status: number): string {
  const meanings: Record<number, string> = {
    401: "it wants a log-in",
    403: "it refuses access",
    404: "not there",
    410: "no longer there",
    429: "too many requests",
    503: "out of service",
  };
  const meaning = meanings[status];
  return `answered HTTP ${status}${meaning === undefined ? "" : ` (${meaning})`}`;
}
