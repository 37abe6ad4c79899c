import { findSchemaErrors } from "../contract/check.ts";
import { CliprpnError } from "../contract/errors.ts";

/**
 * The address of a Ray cluster.
 *
 * @param name of the option or variable that has it.
 * @throws CliprpnError bad_input if it is none.
 */
export function checkRayAddress(name: string, address: string): string {
  if (findSchemaErrors("EngineOptions", { ray: { address } }).length === 0) return address;
  const client = address.startsWith("ray://")
    ? "; Ray Client cannot hold workers: run cliprpn on a node of the cluster, with the address of its head"
    : "";
  throw new CliprpnError(
    "bad_input",
    `${name}: expected HOST:PORT of a cluster's head, or auto, found ${address}${client}`,
  );
}
