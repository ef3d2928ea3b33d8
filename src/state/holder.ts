import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { bootOf } from './clock.js';
import { isRunning } from './files.js';

/** Milliseconds for which a process of another container or machine, which can't be checked, is assumed to be running. */
const unseenForMs = 15_000;

/**
 * A name for this process that fits into a file name, and that no other process ever has: its number, when it started,
 * the container that numbers it, the boot, and the machine.
 */
export function nameOfProcess(): string {
  return [process.pid, startOf(process.pid) ?? '', containerOf(), bootOf(), machineName()].join('_');
}

/**
 * Whether the process of that name may be at work, so that what it holds is not to be touched; `ageMs` is the age of
 * what it holds, for processes that can't be seen from here. A process id that was
 * reused does not count, unless the system does not report when processes started.
 */
export function mayBeAtWork(name: string, ageMs: number): boolean {
  const [pid = '', start, container, boot, machine = machineName()] = name.split('_');
  if (machine !== machineName()) return ageMs < unseenForMs;
  if (boot !== bootOf()) return false;
  if (container !== containerOf()) return ageMs < unseenForMs;
  if (!isRunning(Number(pid))) return false;
  return start === '' || start === startOf(Number(pid));
}

/** When a process started, in ticks since the boot; undefined for one that has ended, or if the system doesn't say. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command is in parentheses and may contain anything.
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return 'ZX'.includes(state) ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

function containerOf(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return '';
  }
}

function machineName(): string {
  return hostname().replace(/[^a-z\d-]/gi, '-');
}
