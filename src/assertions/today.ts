import { partsOf, type SnapshotView } from '../browser/snapshot.js';

const months = 'January|February|March|April|May|June|July|August|September|October|November|December';
const relative =
  /\b(?:\d+|an?) (?:second|minute|hour|day|week|month|year|sec|min)s? ago\b|\bjust now\b|\byesterday\b|\btomorrow\b/i;
const month = new RegExp(`^(?:${months}) \\d{4}$`);

/** Whether a page newly shows something that depends on the current date: "3 minutes ago", the days of a month. */
export function showsToday(before: SnapshotView, after: SnapshotView): boolean {
  const known = new Set(before.map(({ text }) => text));
  return after.some((line) => {
    if (known.has(line.text)) return false;
    const { role, name, text } = partsOf(line);
    const words = text ?? name ?? '';
    return (
      words.length < 80 && (relative.test(words) || month.test(words) || (role === 'row' && isWeek(words)))
    );
  });
}

/** Whether a row is a week of a calendar. */
export function isWeek(words: string): boolean {
  const days = /^\d{1,2}(?: \d{1,2}){6}$/.test(words) ? words.split(' ').map(Number) : [];
  return days.length > 0 && days.every((day, index) => day === (days[0] ?? 0) + index && day <= 31);
}
