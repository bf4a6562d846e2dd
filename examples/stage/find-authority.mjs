// Where the authority is: in the ready file that it wrote when it started.
import { readFileSync } from 'node:fs';
import { fetchTrusting } from '@countersign/client';

/** @returns {{ issuer: string, fetch: typeof fetch }} */
export function findAuthority() {
  const file = process.env['COUNTERSIGN_READY_FILE'] ?? '.countersign/ready.json';
  const { issuer, ca_file } = JSON.parse(readFileSync(file, 'utf8'));
  return { issuer, fetch: ca_file ? fetchTrusting(readFileSync(ca_file, 'utf8')) : fetch };
}
