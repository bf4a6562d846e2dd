// What the kernel says of a process: proc(5). Never its command line or its name, which it writes itself.
import { createHash } from 'node:crypto';
import { open, readFile, readlink, stat } from 'node:fs/promises';

export interface ProcessFacts {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /** Where its program lies, as the kernel names it; undefined where it may not be looked at, or is gone from there. */
  readonly path: string | undefined;
  /** SHA-256 of its program, hex; undefined where it may not be read or is too large. */
  sha256(): Promise<string | undefined>;
}

/** Larger programs are not hashed: whoever connects would choose how long that takes. */
export const MOST_PROGRAM_BYTES = 268_435_456;

/** Clock ticks after boot at which the process began: with its pid it is the same process and no other. Undefined: it is gone. */
export async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name stands in parentheses and may hold anything, parentheses too.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  // 22nd field, and a zombie has its place but is nobody any more.
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

/** Whether the process behind the descriptor is alive, and which it is here. */
export async function pidBehind(pidfd: number): Promise<number | undefined> {
  const text = await readFile(`/proc/self/fdinfo/${pidfd}`, 'utf8').catch(() => '');
  const pid = Number(/^Pid:\s*(-?\d+)$/m.exec(text)?.[1] ?? -1);
  return pid > 0 ? pid : undefined;
}

/** Undefined where the process is gone or may not be looked at. */
export async function readProcess(pid: number): Promise<ProcessFacts | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  if (status === undefined) return undefined;
  const uid = effective(status, 'Uid');
  const gid = effective(status, 'Gid');
  if (uid === undefined || gid === undefined) return undefined;
  const groups = (/^Groups:\s*(.*)$/m.exec(status)?.[1] ?? '').split(' ').filter(Boolean).map(Number);
  return { uid, gid, groups, path: await pathOf(pid), sha256: () => hashOf(pid) };
}

/** Real, effective, saved, of the file system: what the process acts as is the second. */
function effective(status: string, name: 'Uid' | 'Gid'): number | undefined {
  const text = new RegExp(`^${name}:\\s*\\d+\\s+(\\d+)`, 'm').exec(status)?.[1];
  return text === undefined ? undefined : Number(text);
}

/** The kernel marks a program that was removed; what lies there now is another. */
async function pathOf(pid: number): Promise<string | undefined> {
  const path = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  return path?.startsWith('/') && !path.endsWith(' (deleted)') ? path : undefined;
}

/** By the file that runs, also where another lies in its place by now. Told apart by what changes with every change of it. */
const hashes = new Map<string, Promise<string | undefined>>();
const MOST_HASHES = 1000;

async function hashOf(pid: number): Promise<string | undefined> {
  const link = `/proc/${pid}/exe`;
  const file = await stat(link, { bigint: true }).catch(() => undefined);
  if (file === undefined || !file.isFile() || file.size > MOST_PROGRAM_BYTES) return undefined;
  const key = [file.dev, file.ino, file.size, file.mtimeNs, file.ctimeNs].join(':');
  const known = hashes.get(key);
  if (known !== undefined) return await known;
  if (hashes.size >= MOST_HASHES) hashes.clear();
  const hash = hashFile(link, file.ino).catch(() => undefined);
  hashes.set(key, hash);
  if ((await hash) === undefined) hashes.delete(key);
  return await hash;
}

async function hashFile(link: string, inode: bigint): Promise<string | undefined> {
  const file = await open(link, 'r');
  try {
    if ((await file.stat({ bigint: true })).ino !== inode) return undefined;
    const hash = createHash('sha256');
    for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}
