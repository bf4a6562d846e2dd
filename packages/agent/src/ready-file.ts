/** What the ready file says. */
export interface ReadyFile {
  readonly pid: number;
  readonly version: string;
  /** What workloads get as `SPIFFE_ENDPOINT_SOCKET`. */
  readonly endpoint_socket: string;
}
