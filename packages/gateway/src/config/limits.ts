import { usualShares, type YamlValue } from '@countersign/daemon';
import type { Limits } from './config.ts';

type Bounds = readonly [usual: number | ((connections: number) => number), least: number, most: number];

const LIMITS: { readonly [name in keyof Limits]: Bounds } = {
  headerBytes: [16_384, 1024, 65_536],
  headerCount: [100, 10, 1000],
  bodyBytes: [10_485_760, 0, 10_737_418_240],
  connections: [1000, 1, 100_000],
  connectionsPerAddress: [(all) => usualShares(all).connectionsPerAddress, 1, 100_000],
  handshakes: [(all) => usualShares(all).handshakes, 1, 100_000],
  handshakesPerAddress: [(all) => usualShares(all).handshakesPerAddress, 1, 100_000],
  inFlight: [1000, 1, 100_000],
  headersTimeout: [10, 1, 120],
  requestTimeout: [300, 1, 3600],
  connectTimeout: [5, 1, 60],
  upstreamTimeout: [60, 1, 3600],
  keepAliveTimeout: [65, 1, 600],
  drainTimeout: [10, 0, 300],
};

/** Every limit, the default where the file names none. @throws ConfigFault */
export function readLimits(value: YamlValue | undefined): Limits {
  const names = Object.keys(LIMITS) as (keyof Limits)[];
  const given = value?.members(names) ?? {};
  const limits: { -readonly [name in keyof Limits]?: number } = {};
  for (const name of names) {
    const [usual, least, most] = LIMITS[name];
    limits[name] =
      given[name]?.integer(least, most) ??
      (typeof usual === 'number' ? usual : usual(limits.connections as number));
  }
  return limits as Limits;
}
