/**
 * What a process has used, read from outside through /proc, so that every contestant is measured the same way.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

let ticksPerSecond;

/**
 * CPU time of a whole process so far, all threads, user and system, in microseconds. Its grain is the kernel's
 * clock tick (10 ms on most machines), so measure over a second or more.
 * @param {number} pid
 * @returns {number}
 */
export function cpuMicroseconds(pid) {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The command's name may hold spaces and parentheses: fields are counted from behind it (proc(5): utime is 14, stime 15).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond;
}

/**
 * Resident memory of a process in MB (10⁶ bytes): now, and the most it ever was.
 * @param {number} pid
 * @returns {{now: number, peak: number}}
 */
export function residentMegabytes(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const megabytes = (name) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') };
}
