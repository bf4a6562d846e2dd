// gRPC over HTTP/2, Timeout: up to eight digits and a unit. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** What a timer takes at most. */
const LONGEST_MS = 2_147_483_647;

/** Milliseconds; undefined where the text is no timeout. */
export function readTimeout(text: string): number | undefined {
  const [, digits, unit] = /^([0-9]{1,8})([HMSmun])$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  return Math.min(Math.ceil(Number(digits) * (UNIT_MS[unit] as number)), LONGEST_MS);
}
