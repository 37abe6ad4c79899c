import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** How a mirror answers one request. */
export type Behavior = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface RecordedRequest {
  path: string;
  range: string | undefined;
  if_range: string | undefined;
}

export interface Mirror {
  /** The address of a path on this server. */
  at(path: string): string;
  requests: RecordedRequest[];
}

/** Starts a local HTTP server with a behavior for each path; it is closed when the test ends. */
export async function startMirror(behaviors: Record<string, Behavior>): Promise<Mirror> {
  const requests: RecordedRequest[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push({ path, range: request.headers.range, if_range: header(request, "if-range") });
    (behaviors[path] ?? answers(404))(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { at: (path) => `http://127.0.0.1:${port}${path}`, requests };
}

interface Faults {
  etag?: string;
  last_modified?: string;
  /** Content-Length instead of the true length; null: no such header. */
  length?: number | null;
  /** Sends this number of bytes, then cuts the connection, */
  cut_after?: number;
  /** but not before this returns true: the client has all bytes up to `end`. */
  cut_when?: (end: number) => boolean;
  /** Sends this number of bytes, then nothing more. */
  hang_after?: number;
  ignore_range?: boolean;
}

/** Serves a file correctly, with ranges, except for the given faults. */
export function serves(body: Buffer, faults: Faults = {}): Behavior {
  return (request, response) => {
    const { etag, last_modified } = faults;
    if (etag !== undefined) response.setHeader("etag", etag);
    if (last_modified !== undefined) response.setHeader("last-modified", last_modified);
    const from = faults.ignore_range ? 0 : firstByte(request, etag ?? last_modified);
    if (from >= body.length) {
      response.writeHead(416, { "content-range": `bytes */${body.length}` }).end();
      return;
    }
    const rest = body.subarray(from);
    if (from > 0) response.setHeader("content-range", `bytes ${from}-${body.length - 1}/${body.length}`);
    if (faults.length !== null) response.setHeader("content-length", faults.length ?? rest.length);
    response.writeHead(from > 0 ? 206 : 200);
    const { cut_after, hang_after } = faults;
    if (cut_after !== undefined) cut(response, rest.subarray(0, cut_after), from, faults.cut_when);
    else if (hang_after !== undefined) response.write(rest.subarray(0, hang_after));
    else response.end(rest);
  };
}

function cut(
  response: ServerResponse,
  bytes: Buffer,
  from: number,
  when: (end: number) => boolean = () => true,
): void {
  response.write(bytes);
  const timer = setInterval(() => {
    if (!when(from + bytes.length)) return;
    clearInterval(timer);
    response.destroy();
  }, 5);
  response.on("close", () => clearInterval(timer));
}

/** Serves a file in small chunks at an interval. */
export function drips(body: Buffer, bytes: number, every_ms: number): Behavior {
  return (request, response) => {
    let at = firstByte(request, undefined);
    if (at > 0) response.setHeader("content-range", `bytes ${at}-${body.length - 1}/${body.length}`);
    response.writeHead(at > 0 ? 206 : 200, { "content-length": body.length - at });
    const timer = setInterval(() => {
      response.write(body.subarray(at, at + bytes));
      at += bytes;
      if (at < body.length) return;
      clearInterval(timer);
      response.end();
    }, every_ms);
    response.on("close", () => clearInterval(timer));
  };
}

export function answers(status: number, headers: Record<string, string> = {}, text = ""): Behavior {
  return (_, response) => response.writeHead(status, headers).end(text);
}

/** Accepts the request and never answers. */
export const hangs: Behavior = () => undefined;

/** A behavior for each request in turn; the last one is repeated. */
export function inTurn(...behaviors: Behavior[]): Behavior {
  let next = 0;
  return (request, response) => {
    const behavior = behaviors[Math.min(next, behaviors.length - 1)];
    next += 1;
    behavior?.(request, response);
  };
}

/** The first byte to send: 0 without a range, or if `If-Range` names another version of the file. */
function firstByte(request: IncomingMessage, validator: string | undefined): number {
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
  const version = header(request, "if-range");
  return from === undefined || (version !== undefined && version !== validator) ? 0 : Number(from);
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}
