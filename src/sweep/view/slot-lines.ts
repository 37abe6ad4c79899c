import { cutMiddle, displayWidth, padded } from "../../base/display-width.ts";
import { counted, percent } from "../../base/format.ts";
import { oneLine } from "../../base/plain-text.ts";
import type { RunningTrial, SweepStatus } from "../../contract/generated/types.ts";
import { trialName } from "../../report/names.ts";
import { wholeSeconds } from "./eta.ts";

/** A table with a line for each slot, or its node if that is another machine: its trial, the last epoch, and the time that is left of the trial. */
export function slotLines(
  status: Pick<SweepStatus, "num_slots" | "running" | "workers">,
  { columns, hasIds = false }: { columns: number; hasIds?: boolean | undefined },
  maxLines: number,
): string[] {
  const numSlots = Math.max(status.num_slots ?? 0, ...status.running.map(({ slot }) => slot + 1));
  const bySlot = new Map(status.running.map((trial) => [trial.slot, trial]));
  const nodes = new Map((status.workers ?? []).map(({ slot, node }) => [slot, oneLine(node)]));
  const layout = layoutFor(columns, hasIds, status.workers === undefined ? undefined : [...nodes.values()]);
  const most = Math.max(1, maxLines - 1);
  const numShown = numSlots <= most ? numSlots : most - 1;
  const lines = Array.from({ length: numShown }, (_, slot) =>
    slotLine(nodes.get(slot) ?? String(slot), bySlot.get(slot), layout),
  );
  const numIdle = numSlots - numShown - status.running.filter(({ slot }) => slot >= numShown).length;
  const idle = numIdle === 0 ? "" : `, ${numIdle} of them idle`;
  return [
    titleLine(layout),
    ...lines,
    ...(numShown < numSlots ? [`      and ${counted(numSlots - numShown, "more slot")}${idle}`] : []),
  ];
}

/** Which columns a width has room for. */
interface Layout {
  /** slot, or node. */
  place: string;
  placeWidth: number;
  nameWidth: number;
  hasId: boolean;
  hasLoss: boolean;
  hasEpochTime: boolean;
}

/** Widths of the columns with figures. Fixed, so that nothing moves. */
const width = { slot: 4, id: 8, epoch: 7, loss: 7, val: 11, perEpoch: 10, left: 11 } as const;
const gap = 2;
const maxNameWidth = 60;
const minNameWidth = 12;
const maxNodeWidth = 12;

/** @param nodes of slots on other machines; undefined if all are on this one. */
function layoutFor(columns: number, hasIds: boolean, nodes: readonly string[] | undefined): Layout {
  const longest = Math.max(width.slot, ...(nodes ?? []).map((node) => displayWidth(node)));
  const placeWidth = Math.min(longest, maxNodeWidth);
  const hasId = hasIds || columns >= 100;
  const hasLoss = columns >= 70;
  const hasEpochTime = columns >= 110;
  const others = [
    placeWidth,
    ...(hasId ? [width.id] : []),
    width.epoch,
    ...(hasLoss ? [width.loss] : []),
    width.val,
    ...(hasEpochTime ? [width.perEpoch] : []),
    width.left,
  ];
  const left = columns - others.reduce((total, each) => total + each + gap, 0);
  const place = nodes === undefined ? "slot" : "node";
  const nameWidth = Math.max(minNameWidth, Math.min(maxNameWidth, left));
  return { place, placeWidth, nameWidth, hasId, hasLoss, hasEpochTime };
}

function titleLine(layout: Layout): string {
  const { place, placeWidth, nameWidth, hasId } = layout;
  const id = hasId ? [padded("id", width.id)] : [];
  const figures = figureCells(["epoch", "loss", "val Acc@0.5", "time/epoch"], layout);
  const left = padded("time left", width.left, "right");
  return cells([padded(place, placeWidth, "right"), padded("trial", nameWidth), ...id, ...figures, left]);
}

function slotLine(place: string, trial: RunningTrial | undefined, layout: Layout): string {
  const { placeWidth, nameWidth, hasId } = layout;
  const number = padded(cutMiddle(place, placeWidth), placeWidth, "right");
  if (trial === undefined) return cells([number, "idle"]);
  const name = padded(cutMiddle(oneLine(trialName(trial)), nameWidth), nameWidth);
  const id = hasId ? [trial.trial_id.slice(0, width.id)] : [];
  const left_ms = trial.left_ms ?? null;
  const left = padded(left_ms === null ? "–" : wholeSeconds(left_ms), width.left, "right");
  return cells([number, name, ...id, ...stateCells(trial, layout), left]);
}

/** The figures of the last epoch; before the first, what the trial is doing. */
function stateCells({ epoch, activity }: RunningTrial, layout: Layout): string[] {
  if (epoch !== null) {
    const { epoch: number, num_epochs, loss, val_acc_at_50, duration_ms } = epoch;
    return figureCells(
      [`${number}/${num_epochs}`, loss.toPrecision(3), percent(val_acc_at_50), wholeSeconds(duration_ms)],
      layout,
    );
  }
  const room = cells(figureCells(["", "", "", ""], layout)).length;
  return [padded(cutMiddle(oneLine(activity), room), room)];
}

function figureCells(
  [epoch, loss, val, perEpoch]: [string, string, string, string],
  { hasLoss, hasEpochTime }: Layout,
): string[] {
  return [
    padded(epoch, width.epoch, "right"),
    ...(hasLoss ? [padded(loss, width.loss, "right")] : []),
    padded(val, width.val, "right"),
    ...(hasEpochTime ? [padded(perEpoch, width.perEpoch, "right")] : []),
  ];
}

function cells(texts: readonly string[]): string {
  return texts.join(" ".repeat(gap));
}
