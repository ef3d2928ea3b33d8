const heading = '## Unreleased';

/** The part of a changelog below a heading of the second level. Throws if it is missing or empty. */
export function notesOf(changelog: string, title: string): string {
  const lines = changelog.split(/\r?\n/);
  const start = lines.findIndex((line) => line === `## ${title}` || line.startsWith(`## ${title} `));
  const end = lines.findIndex((line, index) => index > start && line.startsWith('## '));
  const notes = lines
    .slice(start + 1, end === -1 ? undefined : end)
    .join('\n')
    .trim();
  if (start === -1 || notes === '') throw new Error(`CHANGELOG.md has nothing under "## ${title}".`);
  return notes;
}

/** A changelog in which what is unreleased belongs to a version. Throws if nothing is. */
export function released(changelog: string, version: string, date: string): string {
  notesOf(changelog, 'Unreleased');
  return changelog.replace(heading, `${heading}\n\n## ${version} - ${date}`);
}
