const months = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?';
const units = '(?:ms|milliseconds?|s|secs?|seconds?|mins?|minutes?|h|hours?|days?|weeks?|months?|years?)';

/** What a text holds that is another one in the next run. */
const passing = [
  // Times and dates
  /\b\d{1,2}:\d{2}\b/,
  /\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b/,
  /\b\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b/,
  new RegExp(`\\b${months}\\s+\\d{1,4}\\b|\\b\\d{1,2}\\.?\\s+${months}\\b`, 'i'),
  // Durations and distances in time
  new RegExp(`\\b\\d+(?:[.,]\\d+)?\\s?${units}\\s+(?:ago|left|remaining|later)\\b`, 'i'),
  /\b\d+(?:[.,]\d+)?\s?(?:ms|seconds?)\b/i,
  /\b(?:just now|yesterday|tomorrow)\b/i,
  // Machine-made ids
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/i,
  /\d{6,}/,
  /\b(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]*\d[a-z]+\d[a-z\d]{6,}\b/i,
];

/** Whether a text looks as if it were another one in the next run: a time, a duration, an id made by a machine. */
export function isVolatile(text: string): boolean {
  return passing.some((pattern) => pattern.test(text));
}
