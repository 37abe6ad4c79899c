import { type Dispatcher, EnvHttpProxyAgent } from "undici";
import { CliprpnError } from "../../contract/errors.ts";

/** How downloads reach the network: directly, or through the proxies of HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
export interface Network {
  dispatcher: Dispatcher;
  /** The setting that applies to the URL, without its password, for messages; undefined if there is none. */
  settingOf(url: string): string | undefined;
}

/**
 * Reads the proxy settings, as curl does: lower case counts first, ALL_PROXY where a protocol has no proxy of its own.
 *
 * @throws CliprpnError bad_input if a proxy is no URL.
 */
export function networkOf(env: NodeJS.ProcessEnv): Network {
  const http = readProxy(env, "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY");
  const https = readProxy(env, "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY");
  const noProxy = env.no_proxy ?? env.NO_PROXY ?? "";
  return {
    dispatcher: new EnvHttpProxyAgent({
      // An empty text, not undefined: undici would read this process's variables.
      httpProxy: http?.url ?? "",
      httpsProxy: https?.url ?? "",
      noProxy,
      // Only https needs a tunnel; most proxies refuse one to port 80.
      proxyTunnel: false,
    }),
    settingOf: (url) => {
      // undici sends https through HTTP_PROXY if there is no other.
      const proxy = url.startsWith("https:") ? (https ?? http) : http;
      if (proxy === undefined) return undefined;
      return `${proxy.name}=${withoutPassword(proxy.url)}${noProxy === "" ? "" : `, NO_PROXY=${noProxy}`}`;
    },
  };
}

interface Proxy {
  name: string;
  url: string;
}

/** The first of these variables that is set; none if that one is empty. */
function readProxy(env: NodeJS.ProcessEnv, ...names: string[]): Proxy | undefined {
  const name = names.find((candidate) => env[candidate] !== undefined);
  const text = name === undefined ? "" : (env[name]?.trim() ?? "");
  if (name === undefined || text === "") return undefined;
  const url = text.includes("://") ? text : `http://${text}`;
  if (!/^(https?|socks5?):$/.test(protocolOf(url)))
    throw new CliprpnError(
      "bad_input",
      `${name}: expected the URL of a proxy, such as http://HOST:PORT, found ${withoutPassword(text)}; correct or unset it`,
    );
  return { name, url };
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : "";
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/.*@/, "//***@");
}
