import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import { download } from "../../src/dataset/download/download.ts";
import type { RemoteFile } from "../../src/dataset/download/sources.ts";
import { serves, startMirror } from "../helpers/mirror.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const body = Buffer.from("the bytes of a file");

/** A proxy that passes requests on to one server, whatever host they name, and records what it was asked for. */
async function startProxy(target: string, tunnelStatus?: number): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const { hostname, port: targetPort } = new URL(target);
  const server = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const answer = await fetch(new URL(new URL(request.url ?? "").pathname, target));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    if (tunnelStatus !== undefined) socket.end(`HTTP/1.1 ${tunnelStatus} No\r\n\r\n`);
    else {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      connect(Number(targetPort), hostname)
        .pipe(socket)
        .on("error", () => socket.destroy());
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Downloads one file. @returns its text. */
async function fetched(url: string, env: NodeJS.ProcessEnv): Promise<string> {
  const folder = tempFolder();
  const file: RemoteFile = {
    name: "a.txt",
    datasets: ["made"],
    bytes: body.length,
    checksum: { algorithm: "sha256", hex: createHash("sha256").update(body).digest("hex") },
    urls: [url],
    license: "none",
    by_hand: "ask a colleague",
  };
  await download([file], folder, {
    onProgress: () => undefined,
    onNote: () => undefined,
    signal: new AbortController().signal,
    env,
    limits: { num_tries: 1 },
  });
  return readFileSync(join(folder, "a.txt"), "utf8");
}

test.each([
  "http_proxy",
  "HTTP_PROXY",
  "all_proxy",
  "ALL_PROXY",
])("%s: a file of a host that only the proxy knows is downloaded, without a tunnel to port 80", async (name) => {
  const mirror = await startMirror({ "/a.txt": serves(body) });
  const proxy = await startProxy(mirror.at("/"));
  expect(await fetched("http://nowhere.invalid/a.txt", { [name]: proxy.url })).toBe(body.toString());
  expect(proxy.asked).toEqual(["GET http://nowhere.invalid/a.txt"]);
});

test("a proxy may be written without http://", async () => {
  const mirror = await startMirror({ "/a.txt": serves(body) });
  const proxy = await startProxy(mirror.at("/"));
  const env = { HTTP_PROXY: proxy.url.replace("http://", "") };
  expect(await fetched("http://nowhere.invalid/a.txt", env)).toBe(body.toString());
});

test.each([
  "127.0.0.1",
  "*",
  "other.example, .invalid 127.0.0.1",
])("hosts of NO_PROXY=%s are asked directly", async (no_proxy) => {
  const mirror = await startMirror({ "/a.txt": serves(body) });
  const env = { HTTP_PROXY: "http://127.0.0.1:9", NO_PROXY: no_proxy };
  expect(await fetched(mirror.at("/a.txt"), env)).toBe(body.toString());
});

test("HTTPS_PROXY tunnels to the server, and a refusal is the proxy's, shown without the password", async () => {
  const mirror = await startMirror({});
  const proxy = await startProxy(mirror.at("/"), 407);
  const env = { HTTPS_PROXY: proxy.url.replace("//", "//me:secret@") };
  const error = await failed(fetched("https://nowhere.invalid/a.txt", env));
  expect(error.code).toBe("no_network");
  expect(error.message).toMatch(/proxy answered HTTP 407.*HTTPS_PROXY=http:\/\/\*\*\*@127/);
  expect(error.message).not.toContain("secret");
  expect(proxy.asked).toEqual(["CONNECT nowhere.invalid:443"]);
});

test("a proxy that does not answer is named", async () => {
  const error = await failed(fetched("http://nowhere.invalid/a.txt", { http_proxy: "http://127.0.0.1:9" }));
  expect(error.message).toMatch(/ECONNREFUSED.*http_proxy=http:\/\/127\.0\.0\.1:9/);
});

test.each([
  "ftp://proxy:21",
  "http://",
  "proxy:port",
])("%s is refused as a proxy before any request", async (value) => {
  const error = await failed(fetched("https://nowhere.invalid/a.txt", { https_proxy: value }));
  expect(error.code).toBe("bad_input");
  expect(error.message).toContain("https_proxy");
});

async function failed(running: Promise<unknown>): Promise<CliprpnError> {
  const error = await running.catch((reason) => reason);
  if (error instanceof CliprpnError) return error;
  throw new Error(`expected a CliprpnError, found ${error}`);
}
