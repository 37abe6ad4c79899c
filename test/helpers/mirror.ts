import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** How a mirror answers one request. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

export interface Request {
  path: string;
  range: string | undefined;
  if_range: string | undefined;
}

export interface Mirror {
  /** The address of a path of it. */
  at(path: string): string;
  requests: Request[];
}

/** A local HTTP server, a behaviour for each of its paths; it ends with the test. */
export async function startMirror(behaviours: Record<string, Behaviour>): Promise<Mirror> {
  const requests: Request[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push({ path, range: request.headers.range, if_range: header(request, "if-range") });
    (behaviours[path] ?? answers(404))(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { at: (path) => `http://127.0.0.1:${port}${path}`, requests };
}

interface Served {
  etag?: string;
  last_modified?: string;
  /** Announced instead of the true length; null: not announced at all. */
  length?: number | null;
  /** Sends so many of the bytes, then cuts the connection, */
  cut_after?: number;
  /** but not before this says that the file's bytes up to there have been taken. */
  cut_when?: (end: number) => boolean;
  /** Sends so many of the bytes, then nothing more. */
  hang_after?: number;
  ignore_range?: boolean;
}

/** Serves a file as a good server does, unless told otherwise. */
export function serves(body: Buffer, served: Served = {}): Behaviour {
  return (request, response) => {
    const { etag, last_modified } = served;
    if (etag !== undefined) response.setHeader("etag", etag);
    if (last_modified !== undefined) response.setHeader("last-modified", last_modified);
    const from = served.ignore_range ? 0 : firstByte(request, etag ?? last_modified);
    if (from >= body.length) {
      response.writeHead(416, { "content-range": `bytes */${body.length}` }).end();
      return;
    }
    const rest = body.subarray(from);
    if (from > 0) response.setHeader("content-range", `bytes ${from}-${body.length - 1}/${body.length}`);
    if (served.length !== null) response.setHeader("content-length", served.length ?? rest.length);
    response.writeHead(from > 0 ? 206 : 200);
    const { cut_after, hang_after } = served;
    if (cut_after !== undefined) cut(response, rest.subarray(0, cut_after), from, served.cut_when);
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

/** Serves a few bytes every few milliseconds. */
export function drips(body: Buffer, bytes: number, every_ms: number): Behaviour {
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

export function answers(status: number, headers: Record<string, string> = {}, text = ""): Behaviour {
  return (_, response) => response.writeHead(status, headers).end(text);
}

/** Takes the request and never answers. */
export const hangs: Behaviour = () => undefined;

/** One behaviour a request; the last one stays. */
export function inTurn(...behaviours: Behaviour[]): Behaviour {
  let next = 0;
  return (request, response) => {
    const behaviour = behaviours[Math.min(next, behaviours.length - 1)];
    next += 1;
    behaviour?.(request, response);
  };
}

/** 0 where the whole file is asked for, or where `If-Range` names another version than this one. */
function firstByte(request: IncomingMessage, validator: string | undefined): number {
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
  const asked = header(request, "if-range");
  return from === undefined || (asked !== undefined && asked !== validator) ? 0 : Number(from);
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}
