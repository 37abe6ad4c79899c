/** A file that data sets need, and where it can be had. */
export interface SourceFile {
  /** A plain file name, also the name on the disk. */
  name: string;
  /** The data sets that need it. */
  datasets: string[];
  /** Null: nobody published it. */
  bytes: number | null;
  checksum: Checksum | null;
  /** Mirrors, the first to try first. */
  urls: string[];
  licence: string;
  /** What a person does where every mirror fails. */
  by_hand: string;
}

export interface Checksum {
  algorithm: "sha256" | "md5";
  hex: string;
}
