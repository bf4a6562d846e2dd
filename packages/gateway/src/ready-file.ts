/** What the ready file says: where the gateway can be reached. */
export interface ReadyFile {
  readonly pid: number;
  readonly version: string;
  /** URLs of the listeners that the file names. */
  readonly auth?: string;
  readonly grpc?: string;
  readonly proxy?: string;
  readonly operation?: string;
}
