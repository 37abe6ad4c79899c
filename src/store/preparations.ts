import { mkdirSync } from "node:fs";
import { type AttemptFolder, attemptFolder, attemptNumbers } from "./attempt-folder.ts";

/** The attempts of a sweep to make what its trials share, in its `prepare/`. */
export class Preparations {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Creates the folder of a new attempt. Call it with the sweep's lock. */
  create(): AttemptFolder {
    const number = Math.max(0, ...this.numbers()) + 1;
    const preparation = this.at(number);
    mkdirSync(preparation.folder, { recursive: true });
    return preparation;
  }

  /** Numbers of all attempts, in order. */
  numbers(): number[] {
    return attemptNumbers(this.folder);
  }

  at(number: number): AttemptFolder {
    return attemptFolder(this.folder, number);
  }
}
