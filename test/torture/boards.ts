import { type Change, type Fault, FaultBoard } from "./fault-board.ts";

/** A fault that has happened, and the change at which. */
export interface Fired {
  fault: Fault;
  change: Change;
}

/** The boards of all runs of a sweep: processes that outlive their run may meet the faults of its board later. */
export class Boards {
  readonly #boards: { board: FaultBoard; faults: readonly Fault[]; numSeen: number }[] = [];

  add(folder: string, faults: readonly Fault[]): FaultBoard {
    const board = new FaultBoard(folder, faults);
    this.#boards.push({ board, faults, numSeen: 0 });
    return board;
  }

  /** The faults that have happened since the last call. */
  newlyFired(): Fired[] {
    return this.#boards.flatMap((each) => {
      const fired = each.board.fired.slice(each.numSeen);
      each.numSeen += fired.length;
      return fired.flatMap(({ fault: index, change }) => {
        const fault = each.faults[index];
        return fault === undefined ? [] : [{ fault, change }];
      });
    });
  }
}
