import { resolve } from "node:path";
import { EXIT } from "../contract/errors.ts";
import { makeScenes } from "../dataset/demo/make-scenes.ts";
import type { Arguments, Context } from "./command.ts";

/** `cliprpn scenes`: draws the images that `python -m cliprpn.tiny` trains on. */
export async function scenes(args: Arguments, { cwd, terminal }: Context): Promise<number> {
  const out = resolve(cwd, args.needed("out"));
  await makeScenes(out, args.number("seed") ?? 0, args.number("count") ?? 0, (done, total) =>
    terminal.live([`${done} of ${total} scenes`]),
  );
  terminal.liveDone();
  terminal.result(out);
  return EXIT.good;
}
