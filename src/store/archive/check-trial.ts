import type {
  AcceptedAttempt,
  CompletedOutcome,
  ExportedFile,
  TrialIdentity,
} from "../../contract/generated/types.ts";
import { identityId } from "../../contract/trial-id.ts";
import { withIdentityDefaults } from "../../contract/trial-identity.ts";
import { codeName } from "../code-manifests.ts";
import { parseJson } from "../files.ts";
import { checkModelFacts } from "./check-model.ts";
import type { ArchivePath } from "./layout.ts";
import { checkContent, checkValue, invalid } from "./open-archive.ts";

export interface ArchivedTrial {
  identity: TrialIdentity;
  /** The source of a person's fusion, if the trial has one. */
  fusion: { file: ExportedFile; source_sha256: string } | undefined;
  finished: FinishedAttempt | undefined;
}

/** The attempt that the reports of the archive's sweep show. */
export interface FinishedAttempt {
  accepted: AcceptedAttempt;
  outcome: ExportedFile;
  /** The other files, by their name in the attempt's folder. */
  files: NamedFile[];
  /** By their name in the folder of the attempt's answers. */
  answers: NamedFile[];
}

export interface NamedFile {
  name: string;
  file: ExportedFile;
}

/** A file of a trial, and its text if it is a small JSON file. */
export interface TrialPart {
  known: Extract<ArchivePath, { trial_id: string }>;
  file: ExportedFile;
  text: string;
}

/**
 * Checks that the files of a trial belong together: its id follows from its spec, and its attempt has a completed outcome of it.
 *
 * @throws CliprpnError data_invalid, bad_input.
 */
export function checkTrial(trial_id: string, parts: readonly TrialPart[], archive: string): ArchivedTrial {
  const where = `trials/${trial_id}`;
  const spec = only("spec", parts, where, archive);
  if (spec === undefined) throw invalid(archive, `${where}: expected spec.json, found none`);
  const value = withIdentityDefaults(parseJson(spec.text));
  const identity = checkValue("TrialIdentity", value, spec.file.path, archive);
  checkId(identity, spec.file.path, archive);
  if (identity.trial_id !== trial_id)
    throw invalid(archive, `${where}: expected the spec of this trial, found that of ${identity.trial_id}`);
  const fusion = only("fusion", parts, where, archive);
  return {
    identity,
    fusion: fusion && checkFusion(identity, fusion.file, archive),
    finished: checkFinished(identity, parts, where, archive),
  };
}

/** @throws CliprpnError data_invalid if the id does not follow from the spec: its results would be those of another trial. */
export function checkId(identity: TrialIdentity, path: string, archive: string): void {
  const expected = identityId(identity);
  if (expected !== identity.trial_id)
    throw invalid(
      archive,
      `${path}: expected the id ${expected}, which follows from the spec, found ${identity.trial_id}`,
    );
}

function checkFusion(identity: TrialIdentity, file: ExportedFile, archive: string): ArchivedTrial["fusion"] {
  const { path, sha256 } = file;
  if (identity.kind !== "cliprpn" || identity.settings.fusion.kind !== "file")
    throw invalid(archive, `${path}: expected no source, since the trial's fusion is one of cliprpn`);
  const { source_sha256 } = identity.settings.fusion;
  if (sha256 !== source_sha256)
    throw invalid(archive, `${path}: expected the source with the SHA-256 ${source_sha256}, found ${sha256}`);
  return { file, source_sha256 };
}

function checkFinished(
  identity: TrialIdentity,
  parts: readonly TrialPart[],
  where: string,
  archive: string,
): FinishedAttempt | undefined {
  const mark = only("accepted", parts, where, archive);
  const numbered = parts.filter(isNumbered);
  if (mark === undefined && numbered.length === 0) return undefined;
  if (mark === undefined) throw invalid(archive, `${where}: expected accepted/, found none`);
  const accepted = checkContent("AcceptedAttempt", mark.text, mark.file.path, archive);
  const other = numbered.find(({ known }) => known.attempt !== accepted.attempt);
  if (other !== undefined)
    throw invalid(archive, `${where}: expected attempt ${accepted.attempt} alone, found ${other.file.path}`);
  const outcome = only("outcome", parts, where, archive);
  if (outcome === undefined) throw invalid(archive, `${where}: expected outcome.json, found none`);
  const { sources_sha256, trial_id } = completed(outcome, archive);
  if (trial_id !== identity.trial_id)
    throw invalid(
      archive,
      `${outcome.file.path}: expected an outcome of its trial, found one of ${trial_id}`,
    );
  if (sources_sha256 !== accepted.sources_sha256 || codeName(sources_sha256) !== mark.known.code)
    throw invalid(archive, `${mark.file.path}: expected the code of the outcome, ${sources_sha256}`);
  checkModels(identity, numbered, where, archive);
  return {
    accepted,
    outcome: outcome.file,
    files: numbered.filter(({ known: { kind } }) => kind !== "outcome" && kind !== "answers").map(named),
    answers: numbered.filter(({ known: { kind } }) => kind === "answers").map(named),
  };
}

function completed({ text, file }: TrialPart, archive: string): CompletedOutcome {
  const outcome = checkContent("TrialOutcome", text, file.path, archive);
  if (outcome.state === "completed") return outcome;
  throw invalid(archive, `${file.path}: expected the outcome of a completed attempt, found a failed one`);
}

function checkModels(
  identity: TrialIdentity,
  numbered: readonly NumberedPart[],
  where: string,
  archive: string,
): void {
  for (const { known, text, file } of numbered)
    if (known.kind === "facts") checkModelFacts(text, identity, file.path, archive);
  for (const epoch of ["best", "last"]) {
    const files = numbered.filter(({ known: { name } }) => name.startsWith(`${epoch}.`));
    if (files.length === 1)
      throw invalid(archive, `${where}: expected both files of a model, found one of ${epoch}`);
  }
}

type NumberedPart = TrialPart & { known: Extract<TrialPart["known"], { attempt: number }> };

function isNumbered(part: TrialPart): part is NumberedPart {
  return "attempt" in part.known;
}

function named({ known, file }: NumberedPart): NamedFile {
  return { name: known.name, file };
}

/** The part of a kind of which a trial has at most one. */
function only<Kind extends "spec" | "fusion" | "accepted" | "outcome">(
  kind: Kind,
  parts: readonly TrialPart[],
  where: string,
  archive: string,
): (TrialPart & { known: Extract<TrialPart["known"], { kind: Kind }> }) | undefined {
  const found = parts.filter(
    (part): part is TrialPart & { known: Extract<TrialPart["known"], { kind: Kind }> } =>
      part.known.kind === kind,
  );
  if (found.length > 1) throw invalid(archive, `${where}: expected one ${kind}, found ${found.length}`);
  return found[0];
}
