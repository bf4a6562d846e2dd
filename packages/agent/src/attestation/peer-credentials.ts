// Who is at the other end of a unix socket, as the kernel says it: unix(7), SO_PEERCRED and SO_PEERPIDFD.
import type { Socket } from 'node:net';

export interface PeerCredentials {
  /** Of the process that connected, as this process sees it. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** A descriptor of that very process, to be closed by `close`; undefined where the kernel (before 6.5) has none. */
  readonly pidfd: number | undefined;
}

export interface PeerCredentialReader {
  /** Undefined where the kernel does not say, or the process is in a namespace that is not visible from here. */
  read(socket: Socket): PeerCredentials | undefined;
  closeDescriptor(descriptor: number): void;
}

/** <asm-generic/socket.h>; the same on x86-64 and arm64. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERPIDFD = 77;

type GetSockOpt = (fd: number, level: number, name: number, value: Buffer, length: Buffer) => number;

/** Undefined where the library cannot be loaded or the system is not Linux: nobody can be told apart then. */
export async function openPeerCredentials(): Promise<PeerCredentialReader | undefined> {
  if (process.platform !== 'linux') return undefined;
  const library = await loadLibrary();
  if (library === undefined) return undefined;
  const { getsockopt, close } = library;

  function option(fd: number, name: number, bytes: number): Buffer | undefined {
    const value = Buffer.alloc(bytes);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes);
    if (getsockopt(fd, SOL_SOCKET, name, value, length) !== 0) return undefined;
    return length.readUInt32LE() === bytes ? value : undefined;
  }

  return {
    read(socket) {
      const fd = descriptorOf(socket);
      const credentials = fd === undefined ? undefined : option(fd, SO_PEERCRED, 12);
      if (fd === undefined || credentials === undefined) return undefined;
      const pid = credentials.readInt32LE(0);
      // In a pid namespace that cannot be seen from here: there is no process to look at.
      if (pid <= 0) return undefined;
      const uid = credentials.readUInt32LE(4);
      const gid = credentials.readUInt32LE(8);
      return { pid, uid, gid, pidfd: option(fd, SO_PEERPIDFD, 4)?.readInt32LE() };
    },
    closeDescriptor: (descriptor) => void close(descriptor),
  };
}

async function loadLibrary(): Promise<
  { readonly getsockopt: GetSockOpt; readonly close: (fd: number) => number } | undefined
> {
  try {
    const { default: koffi } = await import('koffi');
    // The process has libc already: nothing is looked for in a path.
    const libc = koffi.load(null);
    return {
      getsockopt: libc.func(
        'int getsockopt(int fd, int level, int name, _Inout_ void *value, _Inout_ void *length)',
      ) as GetSockOpt,
      close: libc.func('int close(int fd)') as (fd: number) => number,
    };
  } catch {
    return undefined;
  }
}

/** Node says it nowhere else. */
function descriptorOf(socket: Socket): number | undefined {
  const fd = (socket as unknown as { _handle?: { fd?: unknown } })._handle?.fd;
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}
