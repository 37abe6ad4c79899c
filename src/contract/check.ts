import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { packageRoot } from "../package-root.ts";
import { CliprpnError } from "./errors.ts";
import type * as contract from "./generated/types.ts";
import type { BridgeMethods } from "./generated/types.ts";

/** The types that `check` validates, by name. */
export interface ContractTypes {
  Experiment: contract.Experiment;
  TrialSpec: contract.TrialSpec;
  BaselineSpec: contract.BaselineSpec;
  TrialIdentity: contract.TrialIdentity;
  TrialPlaces: contract.TrialPlaces;
  TrialEvent: contract.TrialEvent;
  WorkerEvent: contract.WorkerEvent;
  TrialOutcome: contract.TrialOutcome;
  JournalEntry: contract.JournalEntry;
  StoredExperiment: contract.StoredExperiment;
  Metrics: contract.Metrics;
  LaterTargets: contract.LaterTargets;
  TrialRow: contract.TrialRow;
  AcceptedAttempt: contract.AcceptedAttempt;
  RayMessage: contract.RayMessage;
  StopRequest: contract.StopRequest;
  CheckpointHead: contract.CheckpointHead;
  SweepStatus: contract.SweepStatus;
  SweepEvent: contract.SweepEvent;
  SweepNotice: contract.SweepNotice;
  TestLook: contract.TestLook;
  ExportManifest: contract.ExportManifest;
  CodeManifest: contract.CodeManifest;
  Summary: contract.Summary;
  Report: contract.Report;
  Overview: contract.Overview;
  Envelope: contract.Envelope;
  PreparedDataset: contract.PreparedDataset;
  PixelsManifest: contract.PixelsManifest;
  PixelShard: contract.PixelShard;
  WantedImages: contract.WantedImages;
  ImageNames: contract.ImageNames;
  Explorer: contract.Explorer;
  AnswersReport: contract.AnswersReport;
  ComparisonFile: contract.ComparisonFile;
  StoredComparison: contract.StoredComparison;
  Protocol: contract.Protocol;
  StoredAudit: contract.StoredAudit;
  Preflight: contract.Preflight;
  QueueSettings: contract.QueueSettings;
  QueuedAttempt: contract.QueuedAttempt;
  QueuedPreparation: contract.QueuedPreparation;
  EndedAttempt: contract.EndedAttempt;
  PilotFacts: contract.PilotFacts;
  BarredPilot: contract.BarredPilot;
  NodeCheck: contract.NodeCheck;
  EngineOptions: contract.EngineOptions;
  StoredMeasurement: contract.StoredMeasurement;
  SweepEstimate: contract.SweepEstimate;
  PreparationOutcome: contract.PreparationOutcome;
}

/**
 * Returns a value that is valid for a type of the contract.
 *
 * @param where the source of the value, for the error message.
 * @throws CliprpnError `contract_violation` with the first place that is invalid.
 */
export function check<Name extends keyof ContractTypes>(
  name: Name,
  value: unknown,
  where: string,
): ContractTypes[Name] {
  const errors = findSchemaErrors(name, value);
  const [first] = errors;
  if (first === undefined) return value as ContractTypes[Name];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  throw new CliprpnError(
    "contract_violation",
    `${where}${first.instancePath || "/"}: ${first.message}${more}`,
  );
}

/**
 * Returns the params or the result of a bridge method when they are valid.
 *
 * @throws CliprpnError `contract_violation`.
 */
export function checkMessage<M extends keyof BridgeMethods, End extends "params" | "result">(
  method: M,
  end: End,
  value: unknown,
): BridgeMethods[M][End] {
  const validate = getValidator(`BridgeMethods/properties/${method}/properties/${end}`);
  if (validate(value)) return value as BridgeMethods[M][End];
  const [first] = validate.errors ?? [];
  throw new CliprpnError(
    "contract_violation",
    `${end} of ${method}${first?.instancePath || "/"}: ${first?.message}`,
  );
}

/** The errors of a value against a type of the contract; empty when it is valid. */
export function findSchemaErrors(name: keyof ContractTypes, value: unknown): ErrorObject[] {
  const validate = getValidator(name);
  return validate(value) ? [] : (validate.errors ?? []);
}

const validators = new Map<string, ValidateFunction>();
let ajv: Ajv2020 | undefined;

function getValidator(name: string): ValidateFunction {
  const cached = validators.get(name);
  if (cached !== undefined) return cached;
  ajv ??= new Ajv2020({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    discriminator: true,
    verbose: true,
    // Every command waits for it: less is optimized, and the schemas, which a test checks, are not checked again (60 ms).
    code: { optimize: false },
    validateSchema: false,
    meta: false,
  }).addSchema(
    JSON.parse(readFileSync(join(packageRoot, "src/contract/generated/contract.schema.json"), "utf8")),
  );
  const validate = ajv.compile({ $ref: `cliprpn#/$defs/${name}` });
  validators.set(name, validate);
  return validate;
}
