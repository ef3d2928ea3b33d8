import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { bootId } from './clock.js';
import { isRunning } from './files.js';

/** How long (ms) a process that can't be checked from here, in another container or machine, counts as running. */
const assumedRunningMs = 15_000;

/** A unique name of this process for file names: its id, start, container, boot and machine. */
export function processName(): string {
  return [process.pid, startOf(process.pid) ?? '', containerId(), bootId(), machineName()].join('_');
}

/**
 * Whether the process of that name may be running, so that its files must not be touched. `ageMs` is the age of these
 * files. A reused process id does not count, unless the system does not report when processes started.
 */
export function mayBeRunning(name: string, ageMs: number): boolean {
  const [pid = '', start, container, boot, machine = machineName()] = name.split('_');
  if (machine !== machineName()) return ageMs < assumedRunningMs;
  if (boot !== bootId()) return false;
  if (container !== containerId()) return ageMs < assumedRunningMs;
  if (!isRunning(Number(pid))) return false;
  return start === '' || start === startOf(Number(pid));
}

/** When a process started, in ticks since the boot; undefined if it has ended or the system does not report it. */
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

function containerId(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return '';
  }
}

function machineName(): string {
  return hostname().replace(/[^a-z\d-]/gi, '-');
}
